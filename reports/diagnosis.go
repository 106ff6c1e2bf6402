package reports

// Diagnosis is what a cluster knew of a span of time: logs, events and custom
// resources, without keys.
type Diagnosis struct {
	// Case and Lane are those of the case that it is about, Step the step of the
	// installation; one of Case and Step is "".
	Case string `json:"case,omitempty"`
	Lane string `json:"lane,omitempty"`
	Step string `json:"step,omitempty"`
	// Dir is the folder, relative to the run's.
	Dir string `json:"dir"`
	// Note says what could not be read.
	Note string `json:"note,omitempty"`
}

// Diagnosis is what was collected on the problem, nil if nothing was.
func (p Problem) Diagnosis(r *Record) *Diagnosis {
	for i := range r.Diagnoses {
		d := &r.Diagnoses[i]
		if p.Case == nil && d.Step != "" || p.Case != nil && d.Step == "" && d.Case == p.Case.ID && d.Lane == p.Case.Lane {
			return d
		}
	}
	return nil
}
