package reports_test

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/floodgate-dev/floodgate/reports"
)

func TestShortLimit(t *testing.T) {
	for limit, want := range map[string]string{
		"10 hits / 2m0s":     "10 hits / 2m",
		"10 hits / 10s":      "10 hits / 10s",
		"10 hits / 1m30s":    "10 hits / 1m30s",
		"10 hits / 1h0m0s":   "10 hits / 1h",
		"10 tokens / 1h5m0s": "10 tokens / 1h5m",
		"none":               "none",
		"":                   "",
	} {
		if got := reports.ShortLimit(limit); got != want {
			t.Errorf("%q: got %q, want %q", limit, got, want)
		}
	}
}

func TestEntriesText(t *testing.T) {
	for want, entries := range map[string][]int{
		"":                         nil,
		"entry 3":                  {3},
		"entries 11 and 12":        {11, 12},
		"entries 3 to 6":           {3, 4, 5, 6},
		"entries 1, 2, 5 and 9":    {1, 2, 5, 9},
		"entries 3 to 5 and 9":     {3, 4, 5, 9},
		"entries 1, 4 to 6 and 60": {1, 4, 5, 6, 60},
	} {
		if got := reports.EntriesText(entries); got != want {
			t.Errorf("%v: got %q, want %q", entries, got, want)
		}
	}
}

func TestCommandTextComesBackFromAShell(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("no shell to ask: %v", err)
	}
	want := []string{"plain", "--a=b/c.d", "two words", "", "it's", `back\slash "quoted"`, "$HOME `x` *", "a\nb"}
	script := "printf '%s|' " + reports.CommandText(want)
	got, err := exec.CommandContext(t.Context(), shell, "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if expected := strings.Join(want, "|") + "|"; string(got) != expected {
		t.Errorf("the shell read %q, want %q", got, expected)
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain, ünïcode 漢字 ✓": "plain, ünïcode 漢字 ✓",
		"\x1b[31m\r\n\t":      `\x1b[31m\x0d\n\x09`,
		"\u202egnp.exe":       `\u202egnp.exe`,
		"\xff\ufffd":          `\xff` + "\ufffd",
		"\ufffe\U000e0001":    `\ufffe\U000e0001`,
		"\u2028":              `\u2028`,
		"\u009b":              `\x9b`,
	} {
		if got := reports.Visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzClipIsShortAndVisible(f *testing.F) {
	f.Add("plain", 3)
	f.Add(strings.Repeat("\x80", 50), 9)
	f.Add("ü漢\x1b\u202e", 1)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = 1 + max(most, -most)&0xff
		got := reports.Clip(text, most)
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("a control character in %q", got)
		}
		if room := most*len(`\U000e0001`) + len("… (9999999 more bytes in record.json)"); len(got) > room {
			t.Errorf("%d bytes of %d, want at most %d", len(got), most, room)
		}
	})
}

func TestPartSaysWhatIsNotKnownToBeReal(t *testing.T) {
	for want, part := range map[string]reports.Part{
		"limitador real 2.4.0":                         {Name: "limitador", Origin: "real", Version: "2.4.0"},
		"limitador STAND-IN v1, fault a and b":         {Name: "limitador", Origin: "stand-in", Version: "v1", Faults: []string{"a", "b"}},
		"limitador STAND-IN":                           {Name: "limitador"},
		"limitador STAND-IN as real as the real thing": {Name: "limitador", Origin: "REAL", Version: "as real as the real thing"},
	} {
		if got := part.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
