package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
)

const (
	// window bounds the memory that unpacking takes; we write far smaller ones.
	window = 64 << 20
	// slack is what a tar has beside the files, for each of them, in bytes.
	slack = 64 << 10
	// mostSurplus bounds how many surplus files are named.
	mostSurplus = 100
)

// Open verifies an archive and extracts it to a folder, which is made and must be
// empty. It returns a bundle only if every piece is as the list says and there is
// nothing else; otherwise the error names all pieces that are missing, altered or
// surplus, and the folder is left as it was.
func Open(ctx context.Context, file, dir string) (_ *Bundle, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("extract bundle %s: %w", file, err)
	}
	if there, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("extract bundle %s: %w", file, err)
	} else if len(there) > 0 {
		return nil, fmt.Errorf("extract bundle %s: folder %s is not empty", file, dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("extract bundle %s: %w", file, err)
	}
	defer root.Close()
	defer func() {
		if err == nil {
			return
		}
		for _, kind := range []Kind{Chart, Manifest, Image} {
			err = errors.Join(err, root.RemoveAll(kind.folder()))
		}
	}()
	list, err := read(ctx, file, func(e Entry) (io.WriteCloser, error) {
		if err := root.MkdirAll(path.Dir(e.File), 0o755); err != nil {
			return nil, err
		}
		return root.OpenFile(e.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	})
	if err != nil {
		return nil, err
	}
	return &Bundle{Platform: list.Platform, Entries: list.Pieces, dir: dir}, nil
}

// Verify is Open without extracting anything. It returns the list of pieces also
// where they are not as it says; nil is a list that cannot be read.
func Verify(ctx context.Context, file string) ([]Entry, error) {
	list, err := read(ctx, file, func(Entry) (io.WriteCloser, error) { return nothing{}, nil })
	return list.Pieces, err
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Close() error                { return nil }

// read verifies an archive while it gives the pieces' content away.
func read(ctx context.Context, file string, extract func(Entry) (io.WriteCloser, error)) (contents, error) {
	packed, err := os.Open(file)
	if err != nil {
		return contents{}, fmt.Errorf("bundle: %w", err)
	}
	defer packed.Close()
	unpacker, err := zstd.NewReader(whileWanted{ctx, packed}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return contents{}, fmt.Errorf("bundle %s: %w", file, err)
	}
	defer unpacker.Close()
	r := &reading{bounded: &bounded{unpacker, largestManifest + slack}, extract: extract, seen: map[string]bool{}}
	err = r.all()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = fmt.Errorf("bundle %s: %w", file, err)
	}
	return r.list, err
}

// errTooLarge is an archive that goes on after what its list says.
var errTooLarge = errors.New("the archive is larger than its list says")

// bounded ends a reader that gives more than it may.
type bounded struct {
	io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// reading is an archive that is being read.
type reading struct {
	bounded *bounded
	extract func(Entry) (io.WriteCloser, error)
	list    contents
	byFile  map[string]Entry
	seen    map[string]bool
	wrong   []error
}

func (r *reading) all() error {
	in := tar.NewReader(r.bounded)
	if err := r.readList(in); err != nil {
		return err
	}
	ended := r.readPieces(in)
	for _, e := range r.list.Pieces {
		switch {
		case r.seen[e.File]:
		case ended != nil:
			r.fault("%s: not read, for the archive is damaged before it", e.title())
		default:
			r.fault("%s: missing", e.title())
		}
	}
	return errors.Join(append(r.wrong, ended)...)
}

func (r *reading) fault(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf(format, args...))
}

func (r *reading) readList(in *tar.Reader) error {
	first, err := in.Next()
	if err != nil {
		return fmt.Errorf("it is no archive that floodgate bundle create writes: %w", err)
	}
	if first.Name != manifestFile || first.Typeflag != tar.TypeReg || first.Size > largestManifest {
		return fmt.Errorf("its first file is %q, not %s: floodgate bundle create has not written it", first.Name, manifestFile)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("its list of pieces: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var list contents
	if err := decoder.Decode(&list); err != nil {
		return fmt.Errorf("its list of pieces: %w", err)
	}
	if err := list.check(); err != nil {
		return fmt.Errorf("its list of pieces: %w", err)
	}
	r.list, r.byFile = list, map[string]Entry{}
	for _, e := range list.Pieces {
		r.byFile[e.File] = e
		r.bounded.left += e.Size + slack
	}
	return nil
}

// readPieces returns why the archive cannot be read on.
func (r *reading) readPieces(in *tar.Reader) error {
	surplus := 0
	for {
		next, err := in.Next()
		if errors.Is(err, io.EOF) {
			return r.end()
		}
		if err != nil {
			return fmt.Errorf("it is damaged: %w", err)
		}
		e, listed := r.byFile[next.Name]
		if !listed || r.seen[next.Name] || next.Typeflag != tar.TypeReg {
			r.fault("%.200q: surplus, the list does not have it", next.Name)
			if surplus++; surplus == mostSurplus {
				return errors.New("there is more of it")
			}
			continue
		}
		r.seen[next.Name] = true
		if next.Size != e.Size {
			r.fault("%s: altered, it has %d bytes, the list says %d", e.title(), next.Size, e.Size)
			continue
		}
		if err := r.piece(in, e); err != nil {
			return err
		}
	}
}

// end looks behind the tar's end, where the last checksum is, and nothing else.
func (r *reading) end() error {
	more, err := io.Copy(io.Discard, r.bounded)
	if err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	if more > 0 {
		r.fault("surplus: %d bytes behind the archive's end", more)
	}
	return nil
}

// piece reads one file. Whatever it holds, its folder and name are ours.
func (r *reading) piece(in io.Reader, e Entry) error {
	out, err := r.extract(e)
	if err != nil {
		return fmt.Errorf("%s: %w", e.title(), err)
	}
	sum := sha256.New()
	disk := &remembering{Writer: out}
	_, err = io.Copy(io.MultiWriter(disk, sum), in)
	closed := out.Close()
	switch {
	case disk.err != nil:
		return fmt.Errorf("%s: %w", e.title(), disk.err)
	case err != nil:
		r.fault("%s: altered, the archive is damaged in it", e.title())
		return fmt.Errorf("it is damaged: %w", err)
	case closed != nil:
		return fmt.Errorf("%s: %w", e.title(), closed)
	}
	if got := fmt.Sprintf("sha256:%x", sum.Sum(nil)); got != e.Digest {
		r.fault("%s: altered, its digest is %s, the list says %s", e.title(), got, e.Digest)
	}
	return nil
}

// remembering tells errors of writing from those of reading.
type remembering struct {
	io.Writer
	err error
}

func (w *remembering) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.err = err
	return n, err
}
