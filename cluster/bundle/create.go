package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// Puller fetches charts; *charts.Program is one.
type Puller interface {
	// Pull writes a chart's archive to a folder and returns its path and digest.
	Pull(ctx context.Context, chart install.Chart, folder string) (path, digest string, err error)
}

// Options are how a bundle is made.
type Options struct {
	// Charts may be nil where no piece is a chart.
	Charts Puller
	// Arch is the architecture of the images' platform linux/<arch>, "" being
	// that of this program.
	Arch string
	// Insecure are hosts with which http may be spoken, as "host:port". With this
	// machine it may in any case.
	Insecure []string
	// HTTP fetches manifests, http.DefaultClient if nil.
	HTTP *http.Client
	// Progress gets one line a piece, nil being nobody.
	Progress io.Writer
}

func (o Options) arch() string {
	if o.Arch == "" {
		return runtime.GOARCH
	}
	return o.Arch
}

// Create fetches the pieces and writes them to one archive. What cannot be
// fetched is all named, and nothing is written then. The same pieces make the
// same archive, byte by byte.
func Create(ctx context.Context, pieces []Piece, out string, o Options) error {
	if err := checkPieces(pieces); err != nil {
		return err
	}
	if o.Charts == nil && slices.ContainsFunc(pieces, func(p Piece) bool { return p.Kind == Chart }) {
		return errors.New("charts cannot be bundled without the charts' program")
	}
	// Beside the archive: that disk has the room, or nobody has.
	dir, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+"-")
	if err != nil {
		return fmt.Errorf("make room for the pieces: %w", err)
	}
	defer os.RemoveAll(dir)
	list := contents{Format: format, Platform: "linux/" + o.arch()}
	var missing []error
	for i, piece := range pieces {
		entry, err := o.fetch(ctx, piece, dir)
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", piece.title(), context.Cause(ctx))
		}
		if err != nil {
			o.say("[%d/%d] %s: failed", i+1, len(pieces), piece.title())
			missing = append(missing, fmt.Errorf("%s of %s: %w", piece.title(), piece.from(), err))
			continue
		}
		o.say("[%d/%d] %s: %d bytes", i+1, len(pieces), piece.title(), entry.Size)
		list.Pieces = append(list.Pieces, entry)
	}
	if err := errors.Join(missing...); err != nil {
		return err
	}
	if err := write(ctx, list, dir, filepath.Join(dir, "archive")); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	return os.Rename(filepath.Join(dir, "archive"), out)
}

// say writes a line for people; that nobody reads it changes nothing.
func (o Options) say(format string, args ...any) {
	if o.Progress != nil {
		_, _ = fmt.Fprintf(o.Progress, format+"\n", args...)
	}
}

// from is where a piece comes from.
func (p Piece) from() string {
	if p.Source == "" {
		return p.Name
	}
	return p.Source
}

// file is a piece's name in the archive.
func (p Piece) file() string {
	sum := sha256.Sum256([]byte(p.Name))
	safe := strings.Map(func(r rune) rune {
		if harmless(r) {
			return r
		}
		return '_'
	}, p.Name)
	safe = strings.TrimLeft(safe[max(0, len(safe)-100):], ".")
	unique := hex.EncodeToString(sum[:4])
	switch p.Kind {
	case Chart:
		return "charts/" + safe + "-" + unique + ".tgz"
	case Manifest:
		return "manifests/" + safe + "-" + unique + ".yaml"
	default:
		return "images/" + safe + "-" + unique + ".tar"
	}
}

// write packs the list and the files that it names.
func write(ctx context.Context, list contents, dir, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	packer, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	w := tar.NewWriter(packer)
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	if len(text) > largestManifest {
		return fmt.Errorf("the list of pieces has %d bytes, at most %d are read", len(text), largestManifest)
	}
	if err := w.WriteHeader(header(manifestFile, int64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, entry := range list.Pieces {
		// Each piece is a frame of its own: damage is found at the piece that it is
		// in.
		if err := w.Flush(); err != nil {
			return err
		}
		if err := packer.Close(); err != nil {
			return err
		}
		packer.Reset(file)
		if err := w.WriteHeader(header(entry.File, entry.Size)); err != nil {
			return err
		}
		if err := copyFile(ctx, w, filepath.Join(dir, filepath.FromSlash(entry.File))); err != nil {
			return fmt.Errorf("%s: %w", entry.title(), err)
		}
	}
	return errors.Join(w.Close(), packer.Close())
}

func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
}

func copyFile(ctx context.Context, w io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, whileWanted{ctx, file})
	return err
}

// whileWanted ends reading with the context, which a reader cannot be given
// otherwise.
type whileWanted struct {
	ctx context.Context
	io.Reader
}

func (r whileWanted) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
