package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/reports/timeline"
)

// stripView is a timeline.Strip in the coordinates of its SVG. Numbers are
// texts, so that a page's bytes do not depend on how a template prints floats.
type stripView struct {
	Case *reports.Case
	// subject is as findings name it, Identity as people do.
	subject, Identity string
	Verdict           reports.Verdict
	// Caption says in words what the picture shows.
	Caption       string
	Limit         string
	Height        string
	Bands         []band
	Quota         *rule
	Path          string
	Whiskers      string
	Lanes         []lane
	Ticks         []tick
	Dots          []dot
	Marks         []mark
	Base, Top     string
	Highest       *rule
	Notes         []string
	Right, Bottom string
}

type (
	band struct{ X, Width, LabelX, Label string }
	rule struct{ Y, Label string }
	lane struct {
		Y, LabelY string
		Outcome   evidence.Outcome
	}
	tick struct{ X, Label string }
	dot  struct {
		X, Y    string
		Outcome evidence.Outcome
		Title   string
	}
	mark struct {
		x, y                        float64
		X, Y, Entry, LabelX, LabelY string
	}
)

// The SVG's units: a strip is drawn 960 wide and scaled by the browser.
const (
	stripWidth = 960.0
	plotLeft   = 58.0
	plotRight  = 944.0
	plotTop    = 22.0
	plotBase   = 118.0
	laneHeight = 17.0
	edge       = 9.0
	// manyDots have neither tooltips nor whiskers: they would hide each other.
	manyDots = 150
)

func viewStrip(s *timeline.Strip) stripView {
	scale := newScale(s)
	view := stripView{
		Case: s.Case, subject: s.Identity, Identity: s.Identity, Verdict: s.Verdict, Caption: caption(s),
		Base: px(plotBase), Top: px(plotTop), Right: px(plotRight),
		Ticks: scale.ticks(),
	}
	if view.Identity == "" {
		view.Identity = "(nobody)"
	}
	if s.Limit != nil {
		view.Limit = s.Limit.Text
		view.quota(s.Limit, scale)
	}
	if high := scale.y(scale.most); scale.most > 0 && (view.Quota == nil || abs(high-scale.y(int(s.Limit.Quota))) > 12) {
		view.Highest = &rule{px(high), fmt.Sprint(scale.most)}
	}
	for i, w := range s.Windows {
		view.Bands = append(view.Bands, newBand(i, w, scale))
	}
	view.Path = stepPath(s, scale)
	laneY := view.lanes(s)
	view.dots(s, scale, laneY)
	if drawn := len(s.Dots); drawn < s.Hits {
		view.Notes = append(view.Notes, fmt.Sprintf("%d of %d hits are drawn; all that decided a verdict are among them", drawn, s.Hits))
	}
	if s.MoreWindows > 0 {
		view.Notes = append(view.Notes, fmt.Sprintf("%d more windows are not marked", s.MoreWindows))
	}
	return view
}

// caption is "15 hits: 12 admitted, 3 denied".
func caption(s *timeline.Strip) string {
	var parts []string
	for _, outcome := range outcomes() {
		if n := s.Counts[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	hits := "hits"
	if s.Hits == 1 {
		hits = "hit"
	}
	return fmt.Sprintf("%d %s: %s", s.Hits, hits, strings.Join(parts, ", "))
}

// quota draws the limit as a line, unless it is so far up that it would press
// what happened flat.
func (v *stripView) quota(limit *timeline.Limit, s scale) {
	if float64(limit.Quota) > s.top {
		v.Notes = append(v.Notes, fmt.Sprintf("the limit of %d lies above the picture", limit.Quota))
		return
	}
	v.Quota = &rule{px(s.y(int(limit.Quota))), fmt.Sprintf("limit %d", limit.Quota)}
}

// newBand is a window's band, with a label if it is wide enough to bear one.
func newBand(i int, w timeline.Window, s scale) band {
	left, right := s.x(w.Open), s.x(w.Close)
	shown := band{X: px(left), Width: px(right - left), LabelX: px(left + 4)}
	if right-left > 130 {
		shown.Label = fmt.Sprintf("window %d: %d admitted", i+1, w.Admitted)
	}
	return shown
}

// lanes gives each outcome but admitted a line of its own below the count.
func (v *stripView) lanes(s *timeline.Strip) map[evidence.Outcome]float64 {
	y := plotBase + 4
	at := make(map[evidence.Outcome]float64)
	for _, outcome := range outcomes()[1:] {
		if s.Counts[outcome] == 0 {
			continue
		}
		at[outcome] = y + laneHeight/2
		v.Lanes = append(v.Lanes, lane{px(at[outcome]), px(at[outcome] + 4), outcome})
		y += laneHeight
	}
	v.Bottom, v.Height = px(y+3), px(y+22)
	return at
}

func (v *stripView) dots(s *timeline.Strip, scale scale, laneY map[evidence.Outcome]float64) {
	var whiskers strings.Builder
	for _, d := range s.Dots {
		x, y := scale.x(d.Received), scale.y(d.Count)
		if at, beside := laneY[d.Outcome]; beside {
			y = at
		}
		shown := dot{X: px(x), Y: px(y), Outcome: d.Outcome}
		if len(s.Dots) <= manyDots {
			shown.Title = fmt.Sprintf("entry %d: %s, status %d, sent %s, answered %s",
				d.Entry, d.Outcome, d.Status, clock(d.Sent), clock(d.Received))
			fmt.Fprintf(&whiskers, "M%s %sH%s", px(scale.x(d.Sent)), px(y), px(x))
		}
		v.Dots = append(v.Dots, shown)
		if d.Decided {
			v.mark(d.Entry, x, y)
		}
	}
	v.Whiskers = whiskers.String()
}

// mark rings a hit that decided a verdict; a number that would cover another
// is left out.
func (v *stripView) mark(entry int, x, y float64) {
	m := mark{x: x, y: y, X: px(x), Y: px(y), LabelX: px(x), LabelY: px(y - 9)}
	if y > plotBase {
		// Above a lane stands another one: the number goes beside the ring.
		m.LabelX, m.LabelY = px(x-8-4*float64(len(fmt.Sprint(entry)))), px(y+4)
	}
	crowded := slices.ContainsFunc(v.Marks, func(other mark) bool {
		return other.Entry != "" && abs(other.x-x) < 22 && abs(other.y-y) < 11
	})
	if !crowded {
		m.Entry = fmt.Sprint(entry)
	}
	v.Marks = append(v.Marks, m)
}

func abs(f float64) float64 { return max(f, -f) }
