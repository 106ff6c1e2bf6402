package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
)

// The files of a run's folder: the record and the pages that are drawn from it.
const (
	RecordFile  = "record.json"
	PageFile    = "report.html"
	JUnitFile   = "junit.xml"
	SummaryFile = "summary.md"
	ProfileFile = "conformance.yaml"
)

// Write puts the record at path, whole or not at all; see WriteAtomic.
func Write(path string, r *Record) error {
	return WriteAtomic(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}

// Load reads a record. Its errors name the file and the field; a record of
// another apiVersion is refused. Fields that this build does not know are
// passed over, so that a later build may add some.
func Load(path string) (*Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, loadError(path, data, err)
	}
	if head.APIVersion != APIVersion {
		return nil, fmt.Errorf("%s: field apiVersion is %q and this build reads %q: use the floodgate that wrote it",
			path, head.APIVersion, APIVersion)
	}
	r := new(Record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, loadError(path, data, err)
	}
	return r, nil
}

func loadError(path string, data []byte, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s: no complete JSON, from byte %d of %d on: %w", path, syntax.Offset, len(data), err)
	}
	if field := badField(reflect.TypeFor[Record](), data); field != "" {
		return fmt.Errorf("%s: field %s: %w", path, field[1:], err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
