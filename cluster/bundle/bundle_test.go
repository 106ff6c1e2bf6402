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
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// shelf gives charts' archives out.
type shelf map[string]string

func (s shelf) Pull(_ context.Context, chart install.Chart, folder string) (string, string, error) {
	text, ok := s[chart.Name+"-"+chart.Version]
	if !ok {
		return "", "", errors.New("the repository has no such chart")
	}
	path := filepath.Join(folder, "any.tgz")
	return path, digest(text), os.WriteFile(path, []byte(text), 0o644)
}

func digest(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// imageFor is a small image for an architecture.
func imageFor(t *testing.T, arch string) v1.Image {
	t.Helper()
	image, err := random.Image(512, 2)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

// market is where the pieces of tests come from.
type market struct {
	host   string
	index  v1.ImageIndex
	images map[string]v1.Image
	server *httptest.Server
}

func open(t *testing.T) *market {
	t.Helper()
	m := &market{images: map[string]v1.Image{"amd64": imageFor(t, "amd64"), "arm64": imageFor(t, "arm64")}}
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	m.host = strings.TrimPrefix(hub.URL, "http://")
	m.index = empty.Index
	for arch, image := range m.images {
		m.index = mutate.AppendManifests(m.index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	if err := remote.WriteIndex(m.reference(t, "many:v1"), m.index); err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(m.reference(t, "one:v1"), m.images["amd64"]); err != nil {
		t.Fatal(err)
	}
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/crds.yaml" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, crds)
	}))
	t.Cleanup(m.server.Close)
	return m
}

const crds = "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"

func (m *market) reference(t *testing.T, image string) name.Reference {
	t.Helper()
	reference, err := name.ParseReference(m.host+"/"+image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return reference
}

// charts are enough to be told from noise by a flipped byte.
var charts = shelf{"base-1.0.0": strings.Repeat("the base chart", 1000), "web-2.0.0": strings.Repeat("the web chart", 1000)}

func (m *market) pieces(t *testing.T) []Piece {
	t.Helper()
	many, err := m.index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return []Piece{
		{Kind: Chart, Name: "base", Source: "https://me:never-show-this@charts.invalid", Version: "1.0.0", Digest: digest(charts["base-1.0.0"])},
		{Kind: Chart, Name: "web", Source: "oci://charts.invalid/x", Version: "2.0.0"},
		{Kind: Manifest, Name: "crds", Source: m.server.URL + "/crds.yaml", Version: "v3", Digest: digest(crds)},
		{Kind: Image, Name: "quay.example/team/many:v1", Source: m.host + "/many:v1", Digest: many.String()},
		{Kind: Image, Name: m.host + "/one:v1"},
	}
}

func create(t *testing.T, m *market) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "all.bundle")
	if err := Create(t.Context(), m.pieces(t), out, Options{Charts: charts, Arch: "amd64", Progress: t.Output()}); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); err != nil || len(left) > 0 {
		t.Errorf("create left %v (%v)", left, err)
	}
	return out
}

func TestThereAndBack(t *testing.T) {
	m := open(t)
	file := create(t, m)
	again := create(t, m)
	a, _ := os.ReadFile(file)
	if b, _ := os.ReadFile(again); !bytes.Equal(a, b) {
		t.Error("the same pieces made another archive")
	}
	b, err := Open(t.Context(), file, filepath.Join(t.TempDir(), "new"))
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range map[string]string{"base": "1.0.0", "web": "2.0.0"} {
		path, err := b.Chart(name)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); string(text) != charts[name+"-"+version] || !strings.HasSuffix(path, ".tgz") {
			t.Errorf("chart %s at %s: %v", name, path, err)
		}
	}
	if text, err := b.Manifest("crds"); string(text) != crds {
		t.Errorf("manifest: %q, %v", text, err)
	}
	if _, err := b.Chart("crds"); err == nil || !strings.Contains(err.Error(), "no chart crds") {
		t.Errorf("a chart that is none: %v", err)
	}
	if got := b.Images(); !slices.Equal(got, []string{"quay.example/team/many:v1", m.host + "/one:v1"}) {
		t.Errorf("images: %v", got)
	}
	want, _ := m.images["amd64"].ConfigName()
	for i, path := range b.ImageArchives() {
		tag, err := name.NewTag(b.Images()[i])
		if err != nil {
			t.Fatal(err)
		}
		image, err := tarball.ImageFromPath(path, &tag)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got, err := image.ConfigName(); got != want || err != nil {
			t.Errorf("%s is image %s, want %s (%v)", path, got, want, err)
		}
	}
	if all := fmt.Sprint(b.Entries); strings.Contains(all, "never-show-this") {
		t.Errorf("the list shows a password: %s", all)
	}
}

func TestPush(t *testing.T) {
	m := open(t)
	b, err := Open(t.Context(), create(t, m), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	mirror := strings.TrimPrefix(hub.URL, "http://")
	if err := b.Push(t.Context(), mirror, Options{}); err != nil {
		t.Fatal(err)
	}
	want, _ := m.images["amd64"].ConfigName()
	for _, given := range b.Images() {
		mirrored, err := Mirrored(given, mirror)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := name.ParseReference(mirrored, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(reference)
		if err != nil {
			t.Fatalf("%s: %v", mirrored, err)
		}
		if got, _ := image.ConfigName(); got != want {
			t.Errorf("%s is image %s, want %s", mirrored, got, want)
		}
	}
}

func TestMirrored(t *testing.T) {
	sum := "sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string]string{
		"quay.io/kuadrant/limitador:v2": "m:5000/kuadrant/limitador:v2",
		"registry.k8s.io/pause:3.10":    "m:5000/pause:3.10",
		"redis:7":                       "m:5000/library/redis:7",
		"docker.io/istio/pilot:1.29.1":  "m:5000/istio/pilot:1.29.1",
		"localhost:5000/a/b/c":          "m:5000/a/b/c:latest",
		"ghcr.io/llm-d/sim@" + sum:      "m:5000/llm-d/sim@" + sum,
	} {
		if got, err := Mirrored(image, "m:5000/"); got != want || err != nil {
			t.Errorf("%s: %s, want %s (%v)", image, got, want, err)
		}
	}
	if _, err := Mirrored("NO image", "m"); err == nil {
		t.Error("no error")
	}
}

// Everything that cannot be had is named, and nothing is written.
func TestCreateRefused(t *testing.T) {
	m := open(t)
	other := "sha256:" + strings.Repeat("0", 64)
	for name, kase := range map[string]struct {
		pieces []Piece
		want   []string
	}{
		"nothing": {nil, []string{"no pieces"}},
		"all away": {[]Piece{
			{Kind: Chart, Name: "gone", Source: "https://charts.invalid", Version: "1"},
			{Kind: Manifest, Name: "lost", Source: m.server.URL + "/lost.yaml"},
			{Kind: Image, Name: m.host + "/none:v1"},
		}, []string{"chart gone 1 of https://charts.invalid: the repository has no such chart", "manifest lost", "404", "image " + m.host + "/none:v1", "NAME_UNKNOWN"}},
		"other digests": {[]Piece{
			{Kind: Chart, Name: "base", Source: "https://charts.invalid", Version: "1.0.0", Digest: other},
			{Kind: Manifest, Name: "crds", Source: m.server.URL + "/crds.yaml", Digest: other},
			{Kind: Image, Name: m.host + "/one:v1", Digest: other},
		}, []string{"chart base 1.0.0", "manifest crds", "image " + m.host + "/one:v1", digest(crds), "want " + other}},
		"plain http":   {[]Piece{{Kind: Manifest, Name: "crds", Source: "http://192.0.2.1/x"}}, []string{"https only"}},
		"kind":         {[]Piece{{Kind: "secret", Name: "x"}}, []string{`"secret" is no kind`}},
		"twice":        {[]Piece{{Kind: Manifest, Name: "x", Source: "https://x"}, {Kind: Manifest, Name: "x", Source: "https://y"}}, []string{"manifest x is there twice"}},
		"no tag":       {[]Piece{{Kind: Image, Name: "quay.io/a/b@" + other}}, []string{"needs its tag"}},
		"chart's path": {[]Piece{{Kind: Chart, Name: "../x", Source: "https://x", Version: "1"}}, []string{"no slash"}},
		"digest":       {[]Piece{{Kind: Manifest, Name: "x", Source: "https://x", Digest: "sha256:1"}}, []string{"64 hex digits"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := Create(t.Context(), kase.pieces, filepath.Join(dir, "out"), Options{Charts: charts, Arch: "amd64"})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range kase.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %v", want, err)
				}
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
	t.Run("other platform", func(t *testing.T) {
		err := Create(t.Context(), []Piece{{Kind: Image, Name: m.host + "/one:v1"}}, filepath.Join(t.TempDir(), "out"), Options{Arch: "arm64"})
		if err == nil || !strings.Contains(err.Error(), "it is for linux/amd64, want linux/arm64") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Create(ctx, m.pieces(t), filepath.Join(t.TempDir(), "out"), Options{Charts: charts}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// file is one of an archive that a test changes.
type file struct {
	header tar.Header
	text   []byte
}

func unpack(t *testing.T, path string) []file {
	t.Helper()
	packed, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := zstd.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	in := tar.NewReader(z)
	var files []file
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{*h, text})
	}
}

// tarOf packs files as they are, however wrong.
func tarOf(files []file) []byte {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, f := range files {
		f.header.Size = int64(len(f.text))
		if f.header.Typeflag != tar.TypeReg {
			f.header.Size = 0
		}
		_ = w.WriteHeader(&f.header)
		_, _ = w.Write(f.text[:f.header.Size])
	}
	_ = w.Close()
	return packed.Bytes()
}

func compressed(text []byte) []byte { return packer().EncodeAll(text, nil) }

// packer is made once: making one costs more than packing what tests pack.
var packer = sync.OnceValue(func() *zstd.Encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err)
	}
	return z
})

// relisted changes the list of pieces.
func relisted(files []file, change func(*contents)) []file {
	var list contents
	_ = json.Unmarshal(files[0].text, &list)
	change(&list)
	changed := slices.Clone(files)
	changed[0].text, _ = json.Marshal(list)
	return changed
}

func TestOpenRefused(t *testing.T) {
	m := open(t)
	good := create(t, m)
	files := unpack(t, good)
	var list contents
	if err := json.Unmarshal(files[0].text, &list); err != nil {
		t.Fatal(err)
	}
	changed := func(i int, change func(*file)) []file {
		all := slices.Clone(files)
		all[i].text = slices.Clone(all[i].text)
		change(&all[i])
		return all
	}
	link := file{tar.Header{Typeflag: tar.TypeSymlink, Name: "charts/link", Linkname: "/etc"}, nil}
	for name, kase := range map[string]struct {
		files []file
		want  []string
	}{
		"altered": {changed(2, func(f *file) { f.text[5] ^= 1 }), []string{"chart web 2.0.0: altered"}},
		"two altered, one missing, one surplus": {
			append(changed(1, func(f *file) { f.text[0] ^= 1 })[:4:4], file{tar.Header{Typeflag: tar.TypeReg, Name: "images/more.tar"}, []byte("x")}, file{files[4].header, []byte("short")}),
			[]string{"chart base 1.0.0: altered", "image quay.example/team/many:v1: altered, it has 5 bytes", "image " + m.host + "/one:v1: missing", `"images/more.tar": surplus`},
		},
		"missing":         {slices.Delete(slices.Clone(files), 3, 4), []string{"manifest crds v3: missing"}},
		"twice":           {append(slices.Clone(files), files[2]), []string{"surplus"}},
		"link":            {append(slices.Clone(files), link), []string{`"charts/link": surplus`}},
		"link for piece":  {changed(2, func(f *file) { f.header.Typeflag, f.header.Linkname, f.text = tar.TypeSymlink, "/etc/passwd", nil }), []string{"surplus", "chart web 2.0.0: missing"}},
		"outside":         {append(slices.Clone(files), file{tar.Header{Typeflag: tar.TypeReg, Name: "../../outside"}, []byte("x")}), []string{`"../../outside": surplus`}},
		"outside, listed": {relisted(files, func(c *contents) { c.Pieces[0].File = "charts/../../outside.tgz" }), []string{"none that this program writes"}},
		"rooted, listed":  {relisted(files, func(c *contents) { c.Pieces[0].File = "/charts/outside.tgz" }), []string{"none that this program writes"}},
		"backslash":       {relisted(files, func(c *contents) { c.Pieces[0].File = `charts/..\..\x` }), []string{"none that this program writes"}},
		"huge":            {relisted(files, func(c *contents) { c.Pieces[0].Size = 1 << 60 }), []string{"its size is"}},
		"listed twice":    {relisted(files, func(c *contents) { c.Pieces[1] = c.Pieces[0] }), []string{"listed twice"}},
		"other format":    {relisted(files, func(c *contents) { c.Format = 2 }), []string{"format 2"}},
		"no list":         {files[1:], []string{"not manifest.json"}},
		"empty":           {nil, []string{"no archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, compressed(tarOf(kase.files)), kase.want...)
		})
	}
	t.Run("behind the end", func(t *testing.T) {
		refused(t, compressed(append(tarOf(files), tarOf(files)...)), "bytes behind the archive's end")
	})
	t.Run("far too large", func(t *testing.T) {
		bomb := append(slices.Clone(files), file{tar.Header{Typeflag: tar.TypeReg, Name: "bomb"}, make([]byte, 16<<20)})
		refused(t, compressed(tarOf(bomb)), `"bomb": surplus`, errTooLarge.Error())
	})
	t.Run("not empty", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), good, dir); err == nil || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, good, t.TempDir()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// refused opens an archive that must not open, and looks that it left nothing.
func refused(t *testing.T, packed []byte, want ...string) {
	t.Helper()
	top := t.TempDir()
	file, dir := filepath.Join(t.TempDir(), "bundle"), filepath.Join(top, "a", "b")
	if err := os.WriteFile(file, packed, 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), file, dir)
	if err == nil {
		t.Fatalf("opened: %v", b.Entries)
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is not in %v", text, err)
		}
	}
	if found := outside(t, top, ""); len(found) > 0 {
		t.Errorf("it left %v", found)
	}
}

// outside lists the files below a folder that are not below another.
func outside(t *testing.T, top, inside string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && (inside == "" || !strings.HasPrefix(path, inside+string(filepath.Separator))) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Whichever byte of an archive is altered, it does not open, unless what it holds
// is the same: the compression has bytes that change nothing.
func TestAnyByteAltered(t *testing.T) {
	m := open(t)
	file := create(t, m)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Open(t.Context(), file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	refusals, step := 0, max(1, len(text)/150)
	for at := 0; at < len(text); at += step {
		altered := slices.Clone(text)
		altered[at] ^= 0x40
		path := filepath.Join(t.TempDir(), "bundle")
		if err := os.WriteFile(path, altered, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Open(t.Context(), path, t.TempDir())
		if err != nil {
			refusals++
			continue
		}
		if !slices.Equal(b.Entries, want.Entries) {
			t.Errorf("byte %d of %d was altered, and it opened with %v", at, len(text), b.Entries)
		}
		for _, e := range b.Entries {
			if got, _, err := digestOf(b.path(e)); got != e.Digest {
				t.Errorf("byte %d of %d was altered, and %s with it (%v)", at, len(text), e.title(), err)
			}
		}
	}
	if refusals < 100 {
		t.Errorf("only %d altered archives were refused", refusals)
	}
	for at := 0; at < len(text); at += step {
		path := filepath.Join(t.TempDir(), "bundle")
		if err := os.WriteFile(path, text[:at], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, t.TempDir()); err == nil {
			t.Errorf("it was cut off at byte %d of %d, and it opened", at, len(text))
		}
	}
}

func FuzzOpen(f *testing.F) {
	list := contents{Format: format, Platform: "linux/amd64", Pieces: []Entry{
		{Kind: Chart, Name: "c", Source: "s", Version: "1", Digest: digest("chart"), Size: 5, File: "charts/c.tgz"},
		{Kind: Manifest, Name: "m", Source: "s", Digest: digest("yaml"), Size: 4, File: "manifests/m.yaml"},
	}}
	text, _ := json.Marshal(list)
	regular := func(name, text string) file {
		return file{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, []byte(text)}
	}
	good := []file{regular(manifestFile, string(text)), regular("charts/c.tgz", "chart"), regular("manifests/m.yaml", "yaml")}
	f.Add(tarOf(good), true)
	f.Add(tarOf(append(good, regular("../x", "x"))), true)
	f.Add(tarOf(good[:2]), true)
	f.Add(compressed(tarOf(good)), false)
	f.Add([]byte(nil), false)
	f.Fuzz(func(t *testing.T, packed []byte, compress bool) {
		if compress {
			packed = compressed(packed)
		}
		top := t.TempDir()
		path, dir := filepath.Join(top, "bundle"), filepath.Join(top, "a", "b", "c")
		if err := os.WriteFile(path, packed, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Open(t.Context(), path, dir)
		if found := outside(t, top, dir); len(found) != 1 {
			t.Fatalf("it wrote to %v", found)
		}
		if err != nil {
			if found := outside(t, dir, ""); len(found) > 0 {
				t.Fatalf("it left %v", found)
			}
			return
		}
		for _, e := range b.Entries {
			if got, size, err := digestOf(b.path(e)); got != e.Digest || size != e.Size || err != nil {
				t.Fatalf("%s is not what the list says: %s, %d, %v", e.title(), got, size, err)
			}
		}
	})
}
