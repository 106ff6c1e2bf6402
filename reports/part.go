package reports

import "strings"

// The origins of a component; see Part.
const (
	RealOrigin    = "real"
	StandInOrigin = "stand-in"
)

// Real says whether the part is the product's own; what is not known to be
// real is not.
func (p Part) Real() bool { return p.Origin == RealOrigin }

// OriginLabel is "real", or "STAND-IN" in letters that nobody overlooks.
func (p Part) OriginLabel() string {
	if p.Real() {
		return RealOrigin
	}
	return strings.ToUpper(StandInOrigin)
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
	return text
}
