package metrics

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const soundPage = "# HELP a A\n# TYPE a counter\na{x=\"1\",y=\"2\"} 1\na{x=\"2\",y=\"1\"} 2\n\n# HELP b B\n# TYPE b gauge\nb 1\n"

func kindsOf(e Exposition) []DefectKind {
	var kinds []DefectKind
	for _, d := range e.Defects {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

func TestCheckExpositionFindsEachDefect(t *testing.T) {
	replaced := func(old, with string) string { return strings.Replace(soundPage, old, with, 1) }
	for name, c := range map[string]struct {
		page string
		want []DefectKind
	}{
		"sound":                {soundPage, nil},
		"no HELP":              {replaced("# HELP a A\n", ""), []DefectKind{HelpMissing}},
		"HELP twice":           {replaced("# HELP a A\n", "# HELP a A\n# HELP a A\n"), []DefectKind{HelpRepeated}},
		"no TYPE":              {replaced("# TYPE a counter\n", ""), []DefectKind{TypeMissing}},
		"TYPE twice":           {replaced("# TYPE a counter\n", "# TYPE a counter\n# TYPE a counter\n"), []DefectKind{TypeRepeated}},
		"TYPE after a sample":  {replaced("# TYPE a counter\na{x=\"1\",y=\"2\"} 1\n", "a{x=\"1\",y=\"2\"} 1\n# TYPE a counter\n"), []DefectKind{TypeLate}},
		"TYPE of no kind":      {replaced("counter", "count"), []DefectKind{Syntax}},
		"a family in two":      {soundPage + "a{x=\"3\",y=\"1\"} 1\n", []DefectKind{FamilySplit}},
		"a series twice":       {replaced("a{x=\"2\",y=\"1\"} 2", "a{y=\"2\",x=\"1\"} 2"), []DefectKind{SeriesRepeated}},
		"an unknown escape":    {replaced(`x="1"`, `x="\/1"`), []DefectKind{Syntax}},
		"a raw quote":          {replaced(`x="1"`, `x="1"2"`), []DefectKind{Syntax}},
		"a label twice":        {replaced(`y="2"`, `x="2"`), []DefectKind{Syntax}},
		"a value that is none": {replaced("} 1\n", "} one\n"), []DefectKind{Syntax}},
		"no end":               {strings.TrimSuffix(soundPage, "\n"), []DefectKind{Syntax}},
	} {
		if got := kindsOf(CheckExposition([]byte(c.page))); !slices.Equal(got, c.want) {
			t.Errorf("%s: defects %v, want %v", name, got, c.want)
		}
	}
}

func TestCheckExpositionOfRecordedPages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("testdata", "limitador", "*.txt"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, file := range pages {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := CheckExposition(page)
		for _, d := range got.Defects {
			fork := strings.HasPrefix(filepath.Base(file), "fork_")
			if !fork && d.Kind == HelpMissing && d.Family == "authorized_hits" {
				continue
			}
			if !fork {
				t.Errorf("%s:%d: %s of %s: %s", file, d.Line, d.Kind, d.Family, d.Says)
			}
		}
		if got.Samples == 0 {
			t.Errorf("%s: no samples", file)
		}
	}
}

func FuzzCheckExposition(f *testing.F) {
	f.Add([]byte(soundPage))
	f.Add([]byte("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n"))
	f.Add([]byte("a{x=\"\xff\"} 1"))
	f.Fuzz(func(t *testing.T, page []byte) {
		if got := CheckExposition(page); len(got.Defects) > mostDefects {
			t.Fatalf("%d defects", len(got.Defects))
		}
	})
}
