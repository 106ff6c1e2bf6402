package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/floodgate-dev/floodgate/cluster/local"
)

// standInFlags say how many stand-ins there are and what they show: systems that
// are unusual and right.
type standInFlags struct {
	limiters, gateways int
	prometheusSkew     time.Duration
}

func (s *standInFlags) register(flags *pflag.FlagSet) {
	flags.IntVar(&s.limiters, "standin-limiters", 1, "how many stand-ins for the limiter share one store")
	flags.IntVar(&s.gateways, "standin-gateways", 1, "how many stand-ins for the gateway are behind one address")
	flags.DurationVar(&s.prometheusSkew, "standin-prometheus-skew", 0, "how far a stand-in for its clock shows a Prometheus that is started here ahead, below 0 for behind")
}

// check says what of them the other options do not allow.
func (s *standInFlags) check(o *options) error {
	var wrong []error
	const most = 5
	for flag, n := range map[string]int{"--standin-limiters": s.limiters, "--standin-gateways": s.gateways} {
		switch {
		case n < 1 || n > most:
			wrong = append(wrong, fmt.Errorf("%s %d: want 1 to %d", flag, n, most))
		case n > 1 && !o.bringsStandIns():
			wrong = append(wrong, fmt.Errorf("%s: only providers local and double start so many stand-ins", flag))
		}
	}
	if s.limiters > 1 && o.limitador != "" {
		wrong = append(wrong, errors.New("--standin-limiters: a real limiter has a store of its own; leave out --limitador"))
	}
	switch {
	case s.prometheusSkew == 0:
	case o.provider != (&local.Provider{}).Name() || o.prometheus == local.NoPrometheus:
		wrong = append(wrong, errors.New("--standin-prometheus-skew: only provider local starts a Prometheus"))
	case s.prometheusSkew%time.Millisecond != 0:
		wrong = append(wrong, fmt.Errorf("--standin-prometheus-skew %s: want whole milliseconds", s.prometheusSkew))
	}
	return errors.Join(wrong...)
}

// words repeat what was asked for.
func (s *standInFlags) words() (words []string) {
	if s.limiters > 1 {
		words = append(words, "--standin-limiters", strconv.Itoa(s.limiters))
	}
	if s.gateways > 1 {
		words = append(words, "--standin-gateways", strconv.Itoa(s.gateways))
	}
	if s.prometheusSkew != 0 {
		words = append(words, "--standin-prometheus-skew", s.prometheusSkew.String())
	}
	return words
}
