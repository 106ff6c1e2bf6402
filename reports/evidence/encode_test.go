package evidence

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever a system under test puts into an entry, the line is the one that
// encoding/json writes.
func TestLinesAreThoseOfEncodingJSON(t *testing.T) {
	hostile := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[ -~]{0,40}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "\"", "\\", "</script>", "\u2028", "\x00", "\xff\xfe", "a\nb", "premium/Zoë"}),
	)
	duration := rapid.Map(rapid.Int64(), func(n int64) time.Duration { return time.Duration(n) })
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{
			Hit:      hostile.Draw(t, "hit"),
			Attack:   hostile.Draw(t, "attack"),
			Seq:      rapid.Uint64().Draw(t, "seq"),
			Identity: hostile.Draw(t, "identity"),
			Worker:   hostile.Draw(t, "worker"),
			Unsure:   duration.Draw(t, "unsure"),
			Due:      duration.Draw(t, "due"),
			Sent:     duration.Draw(t, "sent"),
			Received: duration.Draw(t, "received"),
			Outcome:  Outcome(hostile.Draw(t, "outcome")),
			Status:   rapid.Int().Draw(t, "status"),
			From:     hostile.Draw(t, "from"),
			Error:    hostile.Draw(t, "error"),
		}
		if rapid.Bool().Draw(t, "answered") {
			e.Answer = &Answer{
				Header: rapid.MapOf(hostile, rapid.SliceOf(hostile)).Draw(t, "header"),
				Body:   hostile.Draw(t, "body"),
			}
		}
		assertLine(t, &e)
	})
}

// A limiter that has counted nobody is not one that cannot tell whom it counts.
func TestABookOfNobodyIsNotABookWithoutNames(t *testing.T) {
	for name, users := range map[string]map[string]Calls{
		"no names": nil, "nobody": {}, "somebody": {"free": {Authorized: 1}},
	} {
		line, err := json.Marshal(LimiterBook{Users: users})
		if err != nil {
			t.Fatal(err)
		}
		var read LimiterBook
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatal(err)
		}
		if (read.Users == nil) != (users == nil) || len(read.Users) != len(users) {
			t.Errorf("%s: written %s, read %v", name, line, read.Users)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("B02.a.0", "premium/premiumuser1", "", int64(1), 200)
	f.Add("\x00\"\\", "\u2028</script>&", "read: \xff", int64(-1), -1)
	f.Fuzz(func(t *testing.T, hit, identity, failure string, sent int64, status int) {
		assertLine(t, &Entry{Hit: hit, Identity: identity, Error: failure, Sent: time.Duration(sent), Status: status})
	})
}

func assertLine(t rapid.TB, e *Entry) {
	want, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := appendEntry(nil, e); string(got) != string(want) {
		t.Fatalf("line  %s\nwant  %s", got, want)
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	e, buf := admitted(7), make([]byte, 0, 1024)
	if allocs := testing.AllocsPerRun(100, func() { buf = appendEntry(buf[:0], &e) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
