// Package render draws all pages of a run's folder from what the run left
// there.
package render

import (
	"errors"
	"io"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/html"
	"github.com/floodgate-dev/floodgate/reports/junit"
	"github.com/floodgate-dev/floodgate/reports/markdown"
	"github.com/floodgate-dev/floodgate/reports/profile"
)

// Folder draws the pages of the run in dir anew, each whole or not at all. It
// reads the record and the ledgers that it names, and nothing else; a page that
// fails does not keep the others from being written.
func Folder(dir string, options junit.Options) error {
	run, err := html.Read(dir)
	if err != nil {
		return err
	}
	page := func(name string, draw func(io.Writer) error) error {
		return reports.WriteAtomic(filepath.Join(dir, name), draw)
	}
	return errors.Join(
		page(reports.PageFile, func(w io.Writer) error { return html.Render(w, run) }),
		page(reports.JUnitFile, func(w io.Writer) error { return junit.Render(w, run.Record, options) }),
		page(reports.SummaryFile, func(w io.Writer) error { return markdown.Render(w, run.Record) }),
		page(reports.ProfileFile, func(w io.Writer) error { return profile.Render(w, run.Record) }),
	)
}
