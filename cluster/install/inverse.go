package install

import "maps"

// inverse is the merge patch that takes a merge patch of an object back: what
// is there now for every field that the patch sets, and null for what is not.
func inverse(now, merge map[string]any) map[string]any {
	back := make(map[string]any, len(merge))
	for name, value := range merge {
		before, there := now[name]
		if !there {
			back[name] = nil
			continue
		}
		inner, isMap := value.(map[string]any)
		beforeInner, wasMap := before.(map[string]any)
		if isMap && wasMap {
			back[name] = inverse(beforeInner, inner)
			continue
		}
		back[name] = before
	}
	return back
}

// keepFirst adds what a later patch changes to what is known of before the
// first one, which counts where both say something.
func keepFirst(first, later map[string]any) map[string]any {
	all := maps.Clone(first)
	for name, value := range later {
		known, there := all[name]
		if !there {
			all[name] = value
			continue
		}
		knownInner, isMap := known.(map[string]any)
		laterInner, laterMap := value.(map[string]any)
		if isMap && laterMap {
			all[name] = keepFirst(knownInner, laterInner)
		}
	}
	return all
}
