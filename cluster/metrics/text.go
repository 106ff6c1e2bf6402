package metrics

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is one line of exposition text, or the raw sample that Prometheus
// kept of it.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

// Parse returns the samples of the named metrics in exposition text, in
// arbitrary order.
//
// HELP and TYPE lines are not looked at: authorized_hits has no HELP, and a
// fork prints another metric's TYPE above authorized_calls (sut.md 1.4, 2.8).
// Lines of other metrics may be anything. Labels are a set, their order means
// nothing.
func Parse(text []byte, names ...string) ([]Sample, error) {
	wanted := make([]byte, 0, min(len(text), 1<<16))
	for line := range bytes.Lines(text) {
		trimmed := bytes.TrimLeft(line, " \t")
		end := bytes.IndexAny(trimmed, "{ \t")
		if end > 0 && slices.Contains(names, string(trimmed[:end])) {
			wanted = append(wanted, bytes.TrimSuffix(trimmed, []byte("\n"))...)
			wanted = append(wanted, '\n')
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(wanted))
	if err != nil {
		return nil, fmt.Errorf("exposition text: %w", err)
	}
	var samples []Sample
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			if metric.GetUntyped() == nil {
				return nil, fmt.Errorf("exposition text: %s has no plain value", name)
			}
			labels := make(map[string]string, len(metric.GetLabel()))
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			samples = append(samples, Sample{Name: name, Labels: labels, Value: metric.GetUntyped().GetValue()})
		}
	}
	return samples, nil
}

// largestCount is the largest integer up to which float64 leaves none out.
const largestCount = 1 << 53

// addTo adds a sample's value, which must be a count, to a sum.
func (s Sample) addTo(sum int64) (int64, error) {
	if s.Value != math.Trunc(s.Value) || s.Value < 0 || s.Value > largestCount {
		return 0, fmt.Errorf("%s%q is %v, which is no count", s.Name, s.Labels, s.Value)
	}
	if sum += int64(s.Value); sum > largestCount {
		return 0, fmt.Errorf("the sum of %s is past 2^53", s.Name)
	}
	return sum, nil
}
