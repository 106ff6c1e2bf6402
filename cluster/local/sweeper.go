package local

import (
	"bufio"
	"fmt"
	"io"
	"syscall"
)

// groupsArgument makes Guard a sweeper.
const groupsArgument = "groups"

// sweep kills, when stdin ends, the groups that stdin named with "+GROUP" and
// did not take back with "-GROUP".
func sweep(stdin io.Reader) {
	left := map[group]bool{}
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		var mark rune
		var g group
		if _, err := fmt.Sscanf(lines.Text(), "%c%d", &mark, &g); err == nil && g > 1 {
			left[g] = mark == '+'
		}
	}
	for g, there := range left {
		if there {
			_ = g.signal(syscall.SIGKILL)
		}
	}
}
