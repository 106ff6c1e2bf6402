package html_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports/html"
)

// browser is a Chromium that the system has, or the test is skipped: the page
// is for browsers, and only one can tell how it reads it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("NOT TESTED IN A BROWSER: no chromium or google-chrome on PATH; install one (Debian: apt-get install chromium)")
	return ""
}

// load loads the page with the network taken away; scripts are forbidden by
// the page itself. It returns the document as the browser understood it and
// what it complained of.
func load(t *testing.T, page string) (document, complaints string) {
	t.Helper()
	chromium := browser(t)
	profile, err := os.MkdirTemp("", "floodgate-browser-") //nolint:usetesting // the browser's children may write to it after the browser's end, which t.TempDir takes for a failure
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--proxy-server=127.0.0.1:9", "--enable-logging=stderr", "--v=0",
		"--user-data-dir="+profile, "--dump-dom", "file://"+path)
	command.WaitDelay = 5 * time.Second
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", chromium, err, errors.String())
	}
	for line := range strings.Lines(errors.String()) {
		if strings.Contains(line, "CONSOLE") || strings.Contains(line, "Content Security Policy") {
			complaints += line
		}
	}
	return out.String(), complaints
}

func TestABrowserReadsThePageWithoutScripts(t *testing.T) {
	document, complaints := load(t, render(t, read(t, "fail")))
	if complaints != "" {
		t.Errorf("the browser complained:\n%s", complaints)
	}
	for _, text := range []string{
		"3 of 7 cases, 6 identities, 185 hits, 1 doubt, 19 s", "limitador STAND-IN v0.1.0, fault off-by-two-high",
		"window 1, opened at 72ms, admitted 12 of 10 hits", "entries 11 and 12", "floodgate run --provider local --case B02 --seed 41",
		"premium/&lt;script&gt;alert('b04')&lt;/script&gt;", "<summary>", `<th scope="row">premium</th>`,
		`role="img" aria-label="premium/premiumuser1-7f3a: 15 hits: 12 admitted, 3 denied; limit 10 hits / 2m"`,
	} {
		if !strings.Contains(document, text) {
			t.Errorf("the document lacks %q", text)
		}
	}
	// What the parser had to move or close shows as text or elements after the
	// end, so the document must end as the page does.
	if !strings.HasSuffix(strings.TrimSpace(document), "</section>\n</main>\n\n\n</body></html>") {
		t.Errorf("the browser closed the page differently: …%q", document[max(0, len(document)-120):])
	}
}

func TestABrowserRunsNothingOfAHostilePage(t *testing.T) {
	page := render(t, hostileRun())
	document, complaints := load(t, page)
	if complaints != "" {
		t.Errorf("the page tried something:\n%s", complaints)
	}
	for _, element := range []string{"<img", "<iframe", "onerror=\"", "onload=\"", "<script>"} {
		if strings.Contains(document, element) {
			t.Errorf("the browser found %s in hostile text", element)
		}
	}
	if want, got := strings.Count(page, "<section"), strings.Count(document, "<section"); want != got {
		t.Errorf("the browser found %d sections of %d", got, want)
	}
}

func TestTheBrowserWouldComplain(t *testing.T) {
	// A page that breaks the rules must be noticed, else the tests above are blind.
	page := strings.Replace(render(t, html.Run{Record: read(t, "pass").Record}), "</main>", `<img src="https://floodgate.invalid/x.png"></main>`, 1)
	if _, complaints := load(t, page); !strings.Contains(complaints, "Content Security Policy") {
		t.Errorf("an image of another host passed without a complaint: %q", complaints)
	}
}
