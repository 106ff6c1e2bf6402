package reports

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// badField finds the field of a JSON value that does not fit type t, as
// ".cases[3].verdict", "" if all of them fit. encoding/json tells no index,
// and nothing at all where a field's own UnmarshalText refuses.
func badField(t reflect.Type, data []byte) string {
	value := reflect.New(t)
	if json.Unmarshal(data, value.Interface()) == nil || readsItself(value.Interface()) {
		return ""
	}
	switch t.Kind() {
	case reflect.Pointer:
		return badField(t.Elem(), data)
	case reflect.Struct:
		var fields map[string]json.RawMessage
		if json.Unmarshal(data, &fields) != nil {
			return ""
		}
		for _, field := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if raw, given := fields[name]; given && !fits(field.Type, raw) {
				return "." + name + badField(field.Type, raw)
			}
		}
	case reflect.Slice:
		var elements []json.RawMessage
		if json.Unmarshal(data, &elements) != nil {
			return ""
		}
		for i, raw := range elements {
			if !fits(t.Elem(), raw) {
				return fmt.Sprintf("[%d]", i) + badField(t.Elem(), raw)
			}
		}
	default:
	}
	return ""
}

func fits(t reflect.Type, data []byte) bool {
	return json.Unmarshal(data, reflect.New(t).Interface()) == nil
}

func readsItself(value any) bool {
	switch value.(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}
