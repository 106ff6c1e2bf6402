package harness

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestBooksTellNobodysCallsFromCallsWithoutNames(t *testing.T) {
	const examiner = "examiner-1"
	for name, c := range map[string]struct {
		tally metrics.Tally
		users map[string]evidence.Calls
		total evidence.Calls
	}{
		"nobody was counted": {metrics.Tally{Users: map[string]metrics.Calls{}}, map[string]evidence.Calls{}, evidence.Calls{}},
		"calls have no names": {
			metrics.Tally{Total: metrics.Calls{Limited: 1}, Unlabelled: metrics.Calls{Limited: 1}}, nil, evidence.Calls{Limited: 1},
		},
		"the suite's own calls alone": {
			metrics.Tally{Users: map[string]metrics.Calls{examiner: {Authorized: 2}}, Total: metrics.Calls{Authorized: 2}},
			map[string]evidence.Calls{},
			evidence.Calls{},
		},
	} {
		b := &Bed{run: &run{spec: &spec{examiners: map[string]bool{examiner: true}}}}
		var book evidence.LimiterBook
		b.fill(&book, c.tally)
		if diff := cmp.Diff(c.users, book.Users); diff != "" || book.Total != c.total {
			t.Errorf("%s: total %+v, want %+v; users (-want +got)\n%s", name, book.Total, c.total, diff)
		}
	}
}

func TestBooksOfASharedStackHoldThePolicysCallsOnly(t *testing.T) {
	for shared, want := range map[bool][]string{false: nil, true: {"llm-d/ms-sim-llm-d-modelservice"}} {
		b := heardBed(t)
		b.run.session = Session{Stack: cluster.Stack{Shared: shared}}
		if diff := cmp.Diff(want, b.counted()); diff != "" {
			t.Errorf("shared %v (-want +got)\n%s", shared, diff)
		}
	}
}
