package html_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/reports/html"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/timeline"
)

const hostile = "</title></style></script><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>\" onload='x' {{.}} \x00\x1b[31m\u202e"

func hostileRun() html.Run {
	tally := reports.IdentityTally{Name: hostile, Tier: hostile, Case: hostile, Sent: 1, Admitted: 1}
	r := &reports.Record{
		APIVersion: reports.APIVersion, Verdict: reports.Fail, Reason: hostile, Run: hostile, Version: hostile, Lane: hostile,
		Command: []string{hostile}, Policies: hostile, Warnings: []string{hostile}, Identities: []reports.IdentityTally{tally},
		Readiness: []reports.Readiness{{Variant: hostile, Unseen: map[string]string{"limits": hostile}}},
		Diagnoses: []reports.Diagnosis{{Case: hostile, Lane: hostile, Dir: "javascript:alert(1)//" + hostile}},
		Stack: reports.Stack{Provider: hostile, Components: []reports.Part{
			{Name: hostile, Origin: hostile, Version: hostile, Path: hostile, Faults: []string{hostile}},
		}},
		Cases: []reports.Case{{
			ID: hostile, Title: hostile, Lane: hostile, Variant: hostile, Verdict: reports.Fail, Reason: hostile, Again: hostile,
			Identities: []reports.IdentityTally{tally}, Evidence: []string{hostile, "javascript:alert(1)//.jsonl"},
			Findings: []reports.Finding{{
				Rule: hostile, Guarantee: hostile, Verdict: reports.Fail, Reason: hostile, Subject: hostile + "/" + hostile, Limit: hostile + " / " + hostile,
				Component: hostile, Attribution: hostile, Evidence: reports.Evidence{Ledger: "javascript:alert(1)", Entries: []int{1}},
			}},
		}},
	}
	return html.Run{Record: r, Lines: timeline.Lines{Unread: []string{hostile}, Strips: []timeline.Strip{{
		Case: &r.Cases[0], Identity: hostile + "/" + hostile, Ledger: hostile, To: time.Second, Hits: 1,
		Limit:  &timeline.Limit{Quota: 1, Window: time.Second, Text: hostile},
		Counts: map[evidence.Outcome]int{evidence.Admitted: 1},
		Dots:   []timeline.Dot{{Entry: 1, Outcome: evidence.Admitted, Decided: true}},
	}}}}
}

func TestHostileTextIsOnlyText(t *testing.T) {
	page := render(t, hostileRun())
	data := embedded(t, page)
	var record reports.Record
	if err := json.Unmarshal([]byte(data), &record); err != nil || record.Reason != hostile {
		t.Errorf("the embedded record holds the reason %q (%v)", record.Reason, err)
	}
	if strings.ContainsAny(data, "<>&") {
		t.Error("the embedded record holds characters that could end its element")
	}
	page = strings.Replace(page, data, "", 1)
	for _, bad := range []string{"<script>", "<img", "onload='", "</title></style>", "\x00", "\x1b", "\u202e", `href="javascript`, "ZgotmplZ"} {
		if at := strings.Index(page, bad); at >= 0 {
			t.Errorf("%q got through: …%q…", bad, page[max(0, at-80):min(len(page), at+80)])
		}
	}
	tags := regexp.MustCompile(`<(script|img|iframe|object|embed|link|base|form|meta)\b`)
	want := map[string]int{"<script": 1, "<meta": 5}
	got := map[string]int{}
	for _, tag := range tags.FindAllString(page, -1) {
		got[tag]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("elements %v, want %v", got, want)
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	pages := map[string]string{"hostile": render(t, hostileRun())}
	for _, name := range golden.Runs() {
		pages[name] = render(t, read(t, name))
	}
	reference := regexp.MustCompile(`(?i)\s(src|href|srcset|action|poster|data|background)\s*=\s*"([^"]*)"`)
	for name, page := range pages {
		if !strings.Contains(page, `http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`) {
			t.Errorf("%s: no content security policy", name)
		}
		for _, match := range reference.FindAllStringSubmatch(page, -1) {
			if !strings.EqualFold(match[1], "href") || !strings.HasPrefix(match[2], "#") && !strings.HasPrefix(match[2], "./") {
				t.Errorf("%s refers to %s=%q", name, match[1], match[2])
			}
		}
		for _, bad := range []string{"@import", "url(", "<style>http", " style="} {
			if strings.Contains(page, bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
	}
}

func TestALargeRunStaysInTheBudget(t *testing.T) {
	for name, text := range map[string]string{"sound": "a reason of a usual length, with numbers such as 12 of 10", "hostile": strings.Repeat("<&\"'\u202e>", 300)} {
		t.Run(name, func(t *testing.T) {
			page := render(t, largeRun(text))
			if len(page) > html.MaxBytes {
				t.Errorf("%d bytes, want at most %d", len(page), html.MaxBytes)
			}
			for _, said := range []string{"more are in record.json", "more callers are in record.json", "too large to be embedded"} {
				if !strings.Contains(page, said) {
					t.Errorf("the page does not say %q", said)
				}
			}
			if drawn := strings.Count(page, "<figure"); name == "sound" && drawn < 100 {
				t.Errorf("%d strips are drawn of a run that is large and sound, want 100", drawn)
			}
		})
	}
}

func largeRun(text string) html.Run {
	r := &reports.Record{APIVersion: reports.APIVersion, Verdict: reports.Fail}
	for i := range 1200 {
		r.Identities = append(r.Identities, reports.IdentityTally{Name: fmt.Sprint("user", i, text), Tier: "free" + text, Sent: 5})
		r.Warnings = append(r.Warnings, text[:i%len(text)])
	}
	for i := range 300 {
		kase := reports.Case{ID: fmt.Sprintf("X%03d", i), Title: text, Verdict: reports.Fail}
		for n := range 5 {
			kase.Findings = append(kase.Findings, reports.Finding{
				Rule: fmt.Sprint(n), Guarantee: text, Verdict: reports.Fail, Reason: text, Subject: fmt.Sprintf("free/user%d", i), Attribution: text,
			})
		}
		r.Cases = append(r.Cases, kase)
	}
	var lines timeline.Lines
	for i := range 100 {
		strip := timeline.Strip{
			Case: &r.Cases[i], Identity: fmt.Sprintf("free/user%d", i), Verdict: reports.Fail, To: time.Second, Hits: 900,
			Counts: map[evidence.Outcome]int{evidence.Denied: 900},
		}
		for n := range 60 {
			at := time.Duration(n) * 9 * time.Millisecond
			strip.Dots = append(strip.Dots, timeline.Dot{Entry: n, Sent: at, Received: at + 1234567, Outcome: evidence.Denied, Status: 429})
		}
		lines.Strips = append(lines.Strips, strip)
	}
	return html.Run{Record: r, Lines: lines}
}
