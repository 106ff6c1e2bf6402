package html_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports/html"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

func renderSelfTest(t *testing.T, r *selftest.Report) string {
	t.Helper()
	var page bytes.Buffer
	if err := html.RenderSelfTest(&page, r); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestSelfTestPage(t *testing.T) {
	page := renderSelfTest(t, golden.SelfTest())
	golden.Compare(t, "selftest.html", []byte(page))
	if page != renderSelfTest(t, golden.SelfTest()) {
		t.Error("two pages of one self-test differ")
	}
	for _, hostile := range []string{"<b>more", "<script>\u202e", "<hits>", "<i>", "\x1b"} {
		if strings.Contains(page, hostile) {
			t.Errorf("%q stands in the page as it came", hostile)
		}
	}
	for _, outside := range []string{"src=", "http://", "https://", "@import"} {
		if strings.Contains(page, outside) {
			t.Errorf("the page asks for something else: %s", outside)
		}
	}
	_, rest, begins := strings.Cut(page, `<script type="application/json" id="selftest">`)
	data, _, ends := strings.Cut(rest, "</script>")
	if !begins || !ends {
		t.Fatal("no data is embedded")
	}
	var got selftest.Report
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(golden.SelfTest(), &got); diff != "" {
		t.Errorf("the embedded result is another: %s", diff)
	}
}

func TestSelfTestOfNothing(t *testing.T) {
	r := &selftest.Report{}
	r.Settle(nil)
	if page := renderSelfTest(t, r); !strings.Contains(page, "nothing was tried") || strings.Contains(page, `id="matrix"`) {
		t.Error("a page of nothing does not say so")
	}
}
