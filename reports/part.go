package reports

import "strings"

// The origins of a component; see Part.
const (
	RealOrigin    = "real"
	StandInOrigin = "stand-in"
	UnknownOrigin = "unknown"
)

// Real says whether the part is the product's own; what is not known to be
// real is not.
func (p Part) Real() bool { return p.Origin == RealOrigin }

// StandsIn says whether the part must be taken for a stand-in: what says nothing
// of its origin is one.
func (p Part) StandsIn() bool { return !p.Real() && p.Origin != UnknownOrigin }

// OriginLabel is "real", or "STAND-IN" or "UNKNOWN" in letters that nobody
// overlooks.
func (p Part) OriginLabel() string {
	switch {
	case p.Real():
		return RealOrigin
	case p.StandsIn():
		return strings.ToUpper(StandInOrigin)
	}
	return strings.ToUpper(UnknownOrigin)
}

// OriginLabels are all labels, in the order in which lists show them.
func OriginLabels() []string {
	return []string{RealOrigin, strings.ToUpper(StandInOrigin), strings.ToUpper(UnknownOrigin)}
}

// String names the part and what it is: "limitador STAND-IN 0.1, fault
// off-by-one-high".
func (p Part) String() string { return p.Name + " " + p.OriginLabel() + p.build() }

// NameAndBuild is String without the origin, for lists of one origin.
func (p Part) NameAndBuild() string { return p.Name + p.build() }

func (p Part) build() string {
	text := ""
	if p.Version != "" {
		text = " " + p.Version
	}
	if len(p.Faults) > 0 {
		text += ", fault " + strings.Join(p.Faults, " and ")
	}
	if len(p.Manners) > 0 {
		text += ", " + strings.Join(p.Manners, " and ")
	}
	if p.WindowModel != "" {
		text += ", window model " + p.WindowModel
	}
	return text
}
