#!/usr/bin/env bash
# Runs lane smoke against named faults and holds each run to its promise: exit
# code 1 and a finding that names case, rule, numbers and component.
# usage: faults.sh FLOODGATE OUT [all | COMPONENT:NAME...]
set -u
floodgate=$1 out=$2
shift 2
case "${1:-}" in
"") faults="limitador:off-by-one-high limitador:window-10-percent-long limitador:user-label-swapped gateway:denied-reaches-backend gateway:fails-open-3-percent authorino:accepts-any-key" ;;
all) faults=$(for component in limitador authorino gateway llmd; do
	"$floodgate" standin $component --list-faults | awk -v c=$component 'NF {print c ":" $1}'
done) ;;
*) faults="$*" ;;
esac
found=0 survived=0
for fault in $faults; do
	log=$out/faults/${fault/:/-}.log
	mkdir -p "$out/faults"
	runs=$out/faults/${fault/:/-}
	"$floodgate" run --fault "$fault" --seed 41 --out "$runs" >"$log" 2>&1 </dev/null
	code=$?
	verdict=$(grep -m1 '^FAIL ' "$log")
	blamed=$(grep -hoE '"component": "(limiter|gateway|authorizer|model|prometheus)"' "$runs"/*/record.json | head -n 1)
	if [ $code -eq 1 ] && [ -n "$verdict" ] && [ -n "$blamed" ]; then
		found=$((found + 1))
		echo "found     $fault: $verdict"
	else
		survived=$((survived + 1))
		echo "SURVIVED  $fault: exit code $code, see $log"
	fi
done
echo "$found passed, $survived failed"
[ $survived -eq 0 ] && [ $found -gt 0 ]
