package reports

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestFillToldOfAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("this system has no /dev/full to write to: %v", err)
	}
	defer func() { _ = full.Close() }()
	err = fill(full, func(w io.Writer) error {
		_, err := io.WriteString(w, "a record")
		return err
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want %v", err, syscall.ENOSPC)
	}
}
