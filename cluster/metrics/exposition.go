package metrics

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// DefectKind names a way in which exposition text is not what its format says.
type DefectKind string

// The kinds of defects. A strict reader refuses a page for any of them but
// HelpMissing, which costs people and no number.
const (
	HelpMissing    DefectKind = "help-missing"
	HelpRepeated   DefectKind = "help-repeated"
	TypeMissing    DefectKind = "type-missing"
	TypeRepeated   DefectKind = "type-repeated"
	TypeLate       DefectKind = "type-late"
	FamilySplit    DefectKind = "family-split"
	SeriesRepeated DefectKind = "series-repeated"
	Syntax         DefectKind = "syntax"
)

// Defect is one of them.
type Defect struct {
	Kind DefectKind
	// Line is where it was met, from 1, 0 where it is of the page as a whole.
	Line   int
	Family string
	// Says is the defect in words; it may quote the page.
	Says string
}

// mostDefects bounds the list: a page that is wrong in every line is wrong once.
const mostDefects = 50

// Exposition is a page as a strict reader sees it.
type Exposition struct {
	Families, Samples int
	Defects           []Defect
	// Series are the samples of each family.
	Series map[string]int
	// Took is how long it took to be read, 0 where it was at hand.
	Took time.Duration
}

// Exposition reads a metrics page and holds it against its format.
func (r *Reader) Exposition(ctx context.Context, base string) (Exposition, error) {
	began := time.Now()
	page, err := r.get(ctx, join(base, "/metrics"))
	if err != nil {
		return Exposition{}, err
	}
	took := time.Since(began)
	seen := CheckExposition(page)
	seen.Took = took
	return seen, nil
}

// CheckExposition holds exposition text (format 0.0.4) against its rules: HELP
// and TYPE at most once a family and before its samples, a family's lines
// together, no series twice whatever the order of its labels, and every line
// one that Prometheus' own parser takes.
func CheckExposition(page []byte) Exposition {
	c := checker{families: map[string]*familySeen{}}
	number := 0
	for line := range bytes.Lines(page) {
		number++
		c.line(number, line)
	}
	for _, name := range slices.Sorted(maps.Keys(c.families)) {
		f := c.families[name]
		if f.samples == 0 {
			continue
		}
		if f.help == 0 {
			c.found(HelpMissing, f.first, name, "it has samples and no HELP")
		}
		if f.types == 0 {
			c.found(TypeMissing, f.first, name, "it has samples and no TYPE, so its kind is not known")
		}
	}
	series := map[string]int{}
	for name, f := range c.families {
		if f.samples > 0 {
			series[name] = f.samples
		}
	}
	return Exposition{Families: len(c.families), Samples: c.samples, Defects: c.defects, Series: series}
}

type familySeen struct {
	help, types, samples int
	// first is the line of the first sample.
	first  int
	series map[string]int
}

type checker struct {
	families map[string]*familySeen
	last     string
	samples  int
	defects  []Defect
}

func (c *checker) found(kind DefectKind, line int, family, says string) {
	if len(c.defects) < mostDefects {
		c.defects = append(c.defects, Defect{kind, line, family, says})
	}
}

func (c *checker) line(number int, line []byte) {
	text := strings.TrimRight(string(line), "\n")
	if !bytes.HasSuffix(line, []byte("\n")) {
		c.found(Syntax, number, "", "the last line does not end")
	}
	if strings.Trim(text, " \t") == "" {
		return
	}
	if comment, ok := strings.CutPrefix(text, "#"); ok {
		c.comment(number, strings.Fields(comment))
		return
	}
	c.sample(number, text)
}

// comment takes HELP and TYPE; any other comment is nobody's.
func (c *checker) comment(number int, words []string) {
	if len(words) < 2 || words[0] != "HELP" && words[0] != "TYPE" {
		return
	}
	name := words[1]
	f := c.family(number, name)
	if words[0] == "HELP" {
		if f.help++; f.help > 1 {
			c.found(HelpRepeated, number, name, "it has HELP a second time")
		}
		return
	}
	switch f.types++; {
	case f.types > 1:
		c.found(TypeRepeated, number, name, "it has TYPE a second time")
	case f.samples > 0:
		c.found(TypeLate, number, name, "its TYPE stands after its samples")
	}
	if len(words) != 3 || !slices.Contains([]string{"counter", "gauge", "histogram", "summary", "untyped"}, words[2]) {
		c.found(Syntax, number, name, fmt.Sprintf("its TYPE is %.60q", strings.Join(words[2:], " ")))
	}
}

// sample reads one line alone with Prometheus' own parser.
func (c *checker) sample(number int, text string) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text + "\n"))
	if err != nil || len(parsed) != 1 {
		c.found(Syntax, number, "", fmt.Sprintf("no sample: %v in %s", err, quote([]byte(text))))
		return
	}
	c.samples++
	for name, family := range parsed {
		f := c.family(number, c.familyOf(name))
		if f.samples++; f.samples == 1 {
			f.first = number
		}
		for _, metric := range family.GetMetric() {
			labels := []string{name}
			for _, pair := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%q=%q", pair.GetName(), pair.GetValue()))
			}
			slices.Sort(labels[1:])
			key := strings.Join(labels, ",")
			if earlier := f.series[key]; earlier > 0 {
				c.found(SeriesRepeated, number, name, fmt.Sprintf("it is the series of line %d again", earlier))
			}
			f.series[key] = number
		}
	}
}

// familyOf is the family of a sample: of a histogram or a summary that was
// declared it is the name without its suffix.
func (c *checker) familyOf(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && c.families[base] != nil && c.families[base].types > 0 {
			return base
		}
	}
	return name
}

// family is where a line belongs; one that comes back after another has begun is
// split.
func (c *checker) family(number int, name string) *familySeen {
	f := c.families[name]
	switch {
	case f == nil:
		f = &familySeen{series: map[string]int{}}
		c.families[name] = f
	case c.last != name:
		c.found(FamilySplit, number, name, "its lines do not stand together")
	}
	c.last = name
	return f
}
