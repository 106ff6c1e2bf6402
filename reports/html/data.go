package html

import (
	"encoding/json"

	"github.com/floodgate-dev/floodgate/reports"
)

type dataView struct {
	// Record is the embedded record, or its head alone if it is too large.
	Record any
	Whole  bool
}

type recordHead struct {
	APIVersion string          `json:"apiVersion"`
	Run        string          `json:"run"`
	Verdict    reports.Verdict `json:"verdict"`
	Seed       int64           `json:"seed"`
	Truncated  bool            `json:"truncated"`
	See        string          `json:"see"`
}

func viewData(p *page) any {
	if size, err := json.Marshal(p.Record); err == nil && len(size) <= p.size.data {
		return dataView{Record: p.Record, Whole: true}
	}
	r := p.Record
	return dataView{Record: recordHead{r.APIVersion, r.Run, r.Verdict, r.Seed, true, reports.RecordFile}}
}
