package metrics

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// increaseRange is longer than any case: the first call is within.
const increaseRange = "30m"

// Increase is what increase() shows of a caller's authorized_calls and
// limited_calls, which is what dashboards and bills ask for. No verdict rests on
// it.
func (p *Prometheus) Increase(ctx context.Context, user string) (authorized, limited float64, err error) {
	label := p.userLabel
	if label == "" {
		label = DefaultUserLabel
	}
	for name, into := range map[string]*float64{authorizedCalls: &authorized, limitedCalls: &limited} {
		query := fmt.Sprintf("sum(increase(%s{%s=%s}[%s]))", name, label, strconv.Quote(user), increaseRange)
		value, _, _, err := p.api.Query(ctx, query, time.Time{})
		if err != nil {
			return 0, 0, fmt.Errorf("prometheus at %s: query %s: %w", p.address, query, err)
		}
		vector, ok := value.(model.Vector)
		if !ok {
			return 0, 0, fmt.Errorf("prometheus at %s: query %s: got a %s, want a vector", p.address, query, value.Type())
		}
		for _, sample := range vector {
			if sample == nil || math.IsNaN(float64(sample.Value)) || math.IsInf(float64(sample.Value), 0) {
				return 0, 0, fmt.Errorf("prometheus at %s: query %s: a strange number among %s", p.address, query, quote([]byte(vector.String())))
			}
			*into += float64(sample.Value)
		}
	}
	return authorized, limited, nil
}
