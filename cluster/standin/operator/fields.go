package operator

// nested is the value at a path of members, nil if there is none.
func nested(object map[string]any, path ...string) any {
	var value any = object
	for _, member := range path {
		m, _ := value.(map[string]any)
		value = m[member]
	}
	return value
}

// list are the mappings in the list at a path.
func list(object map[string]any, path ...string) []map[string]any {
	items, _ := nested(object, path...).([]any)
	var found []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

// text is the text at a path, or what is said for none.
func text(object map[string]any, absent string, path ...string) string {
	if value, ok := nested(object, path...).(string); ok && value != "" {
		return value
	}
	return absent
}

// number is the whole number at a path, or 0.
func number(object map[string]any, path ...string) int64 {
	value, _ := nested(object, path...).(int64)
	return value
}

// covers tells whether everything that is wanted is there: what the API server
// added besides does not matter.
func covers(live, wanted any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range w {
			if !covers(l[name], value) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return false
		}
		for i := range w {
			if !covers(l[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return live == wanted
	}
}
