package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A mounted is a file that is replaced as the kubelet replaces a ConfigMap's:
// the file is a link through "..data", which is switched to a new folder in
// one step. It is the only way that Limitador always notices and never
// half-reads (sut.md 2.9).
type mounted struct {
	dir, name string
}

// path is what the reader is told to read.
func (m mounted) path() string { return filepath.Join(m.dir, m.name) }

// write puts content in the place of what was there.
func (m mounted) write(content []byte) error {
	if err := m.replace(content); err != nil {
		return fmt.Errorf("write %s: %w", m.path(), err)
	}
	return nil
}

func (m mounted) replace(content []byte) error {
	const current, next = "..data", "..data_next"
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	version, err := os.MkdirTemp(m.dir, "..version-")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(version, m.name), content, 0o600); err != nil {
		return err
	}
	old, err := os.Readlink(filepath.Join(m.dir, current))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Base(version), filepath.Join(m.dir, next)); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(m.dir, next), filepath.Join(m.dir, current)); err != nil {
		return err
	}
	if err := m.link(filepath.Join(current, m.name)); err != nil || old == "" {
		return err
	}
	return os.RemoveAll(filepath.Join(m.dir, old))
}

// link makes the path a link, also where a plain file had taken its place.
func (m mounted) link(target string) error {
	if there, err := os.Readlink(m.path()); err == nil && there == target {
		return nil
	}
	const next = "..link_next"
	if err := os.Symlink(target, filepath.Join(m.dir, next)); err != nil {
		return err
	}
	return os.Rename(filepath.Join(m.dir, next), m.path())
}

// writeAtomically puts a file in the place of another one in one step. Its
// folder is watched: the name under which it is written first is hidden.
func writeAtomically(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".next-")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(temporary.Name()))
	}
	return nil
}
