package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

const (
	// latestTime, in seconds, is the year 9999: no clock is past it.
	latestTime = 253402300800
	// targetUp is the sample that Prometheus adds to every scrape, with the
	// scrape's own timestamp.
	targetUp = "up"
)

// toldWithin is how long after its scrape began a sample may be dated that carries
// a time of its own: half of the range that is looked at.
const toldWithin = 500 * time.Millisecond

// target is a scrape target and when its last scrape began.
type target struct {
	job, instance string
	// began is in whole milliseconds (cut) on Prometheus' clock, ours the same on
	// this machine's, at the earliest.
	began, ours time.Time
}

// targets asks when each wanted target was scraped last: "up" is stored with
// every scrape, under the timestamp of all its samples.
func (p *Prometheus) targets(ctx context.Context) ([]target, error) {
	instances := make([]string, len(p.instances))
	for i, instance := range p.instances {
		instances[i] = regexp.QuoteMeta(instance)
	}
	query := fmt.Sprintf("timestamp(%s{instance=~%s})", targetUp, strconv.Quote(strings.Join(instances, "|")))
	asked := p.now()
	value, _, _, err := p.api.Query(ctx, query, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %s: got %s, want a vector", query, kindOf(value))
	}
	targets := make([]target, 0, len(vector))
	for _, sample := range vector {
		if sample == nil {
			return nil, fmt.Errorf("query %s: got null for a sample", query)
		}
		if !(sample.Value >= 0 && sample.Value < latestTime) {
			return nil, fmt.Errorf("query %s: a strange timestamp: %s", query, quote([]byte(sample.String())))
		}
		began := time.UnixMilli(int64(math.Round(float64(sample.Value) * 1000)))
		// The query was evaluated after it was asked, at a time that is cut to a
		// millisecond: Prometheus' clock is ahead by this much at most.
		ahead := sample.Timestamp.Time().Sub(asked) + time.Millisecond
		targets = append(targets, target{
			job:      string(sample.Metric[model.JobLabel]),
			instance: string(sample.Metric[model.InstanceLabel]),
			began:    began,
			ours:     began.Add(-ahead),
		})
	}
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.job, b.job) })
	return targets, nil
}

// scraped returns what a target's last scrape stored. A range in an instant
// query is the only form in which Prometheus tells raw timestamps, and they
// tell the series of this scrape from those that ended before it.
func (p *Prometheus) scraped(ctx context.Context, target target) ([]Sample, error) {
	query := fmt.Sprintf("{__name__=~%q,job=%s,instance=%s}[1s]",
		strings.Join(append(callNames(), limiterUp, targetUp), "|"), strconv.Quote(target.job), strconv.Quote(target.instance))
	value, _, _, err := p.api.Query(ctx, query, target.began.Add(toldWithin))
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("query %s: got %s, want a matrix", query, kindOf(value))
	}
	if err := ofScrapes(matrix, target); err != nil {
		return nil, err
	}
	up := false
	var samples []Sample
	for _, stream := range matrix {
		if stream == nil || len(stream.Values) == 0 {
			continue
		}
		at := slices.IndexFunc(stream.Values, func(s model.SamplePair) bool { return s.Timestamp.Time().Equal(target.began) })
		if at < 0 {
			continue
		}
		last := stream.Values[at]
		name := string(stream.Metric[model.MetricNameLabel])
		switch name {
		case targetUp:
			up = last.Value == 1
			continue
		case limiterUp:
			continue
		}
		labels := make(map[string]string, len(stream.Metric))
		for label, value := range stream.Metric {
			labels[string(label)] = string(value)
		}
		samples = append(samples, Sample{name, labels, float64(last.Value)})
	}
	if !up {
		return nil, fmt.Errorf("the last scrape of %s, at %s, failed", target.instance, utc(target.began))
	}
	return samples, nil
}

// ErrOwnTimes is wrapped by the error about a target that was scraped and whose
// samples tell no scrape.
var ErrOwnTimes = errors.New("carry times of their own")

// ofScrapes is ErrOwnTimes where samples carry other times than their scrapes: the
// target tells times of its own, and which scrape a sample is of is not known.
func ofScrapes(matrix model.Matrix, target target) error {
	scrapes := map[model.Time]bool{}
	for _, stream := range matrix {
		if stream != nil && string(stream.Metric[model.MetricNameLabel]) == targetUp {
			for _, sample := range stream.Values {
				scrapes[sample.Timestamp] = true
			}
		}
	}
	for _, stream := range matrix {
		if stream == nil {
			continue
		}
		for _, sample := range stream.Values {
			if !scrapes[sample.Timestamp] {
				return fmt.Errorf("the samples of %s %w, such as %s, so that their scrape is not known",
					target.instance, ErrOwnTimes, utc(sample.Timestamp.Time()))
			}
		}
	}
	return nil
}

// kindOf names what Prometheus answered; an answer without any data is nil.
func kindOf(value model.Value) string {
	if value == nil {
		return "nothing"
	}
	return "a " + value.Type().String()
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
