package reports

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds are the stack's components with those that differ only in the variant
// they serve told once: "limitador" and "limitador@twin" of one build are
// "limitador ×2". Lists for people use it; the record names every one.
func (s Stack) Kinds() []Part {
	var kinds []Part
	var times []int
	for _, part := range s.Components {
		part.Name, _, _ = strings.Cut(part.Name, "@")
		same := func(k Part) bool {
			return k.Name == part.Name && k.Origin == part.Origin && k.Version == part.Version && slices.Equal(k.Faults, part.Faults) &&
				slices.Equal(k.Manners, part.Manners) && k.WindowModel == part.WindowModel
		}
		if i := slices.IndexFunc(kinds, same); i >= 0 {
			times[i]++
			continue
		}
		kinds, times = append(kinds, part), append(times, 1)
	}
	for i, n := range times {
		if n > 1 {
			kinds[i].Name = fmt.Sprintf("%s ×%d", kinds[i].Name, n)
		}
	}
	return kinds
}
