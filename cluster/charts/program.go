// Package charts installs Helm charts by a program of its own,
// floodgate-charts, since Helm's library is far too heavy to be part of every
// build.
package charts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// Program is floodgate-charts. It implements install.Charts.
type Program struct {
	// Path is the program's, such as Find returns.
	Path string
	// Kubeconfig is the cluster's. Render does without one, and then assumes the
	// version of Kubernetes that Helm was built for.
	Kubeconfig string
	// Images are names of images, with tags, and what is said instead wherever a
	// chart's objects have them: in pods, in custom resources, in arguments and
	// variables of operators. For a registry that mirrors others.
	Images map[string]string
}

var _ install.Charts = (*Program)(nil)

const (
	// grace is how long the program may take to end after it was told to: Helm
	// writes down that a release failed.
	grace = 10 * time.Second
	// margin is how much earlier than ours the program's patience ends, so that
	// it is Helm that says what was not done.
	margin = 2 * time.Second
	// errorTail bounds what an error shows of standard error, in bytes.
	errorTail = 2 << 10
	// largest bounds an answer, in bytes: the CRDs of the largest chart in use,
	// the Prometheus operator's, are some 5 MiB.
	largest = 256 << 20
)

// The protocol of tools/charts.
type (
	request struct {
		Do         string            `json:"do"`
		Kubeconfig string            `json:"kubeconfig,omitempty"`
		Chart      chart             `json:"chart"`
		Images     map[string]string `json:"images,omitempty"`
		To         string            `json:"to,omitempty"`
		Seconds    float64           `json:"seconds,omitempty"`
		Held       bool              `json:"held"`
	}
	chart struct {
		Release    string         `json:"release"`
		Namespace  string         `json:"namespace"`
		Repository string         `json:"repository"`
		Name       string         `json:"name"`
		Version    string         `json:"version"`
		Values     map[string]any `json:"values,omitempty"`
	}
	answer struct {
		Error   string           `json:"error"`
		Objects []map[string]any `json:"objects"`
		Path    string           `json:"path"`
		Digest  string           `json:"digest"`
	}
)

// Render returns the objects that a chart makes: CRDs, templates and hooks.
func (p *Program) Render(ctx context.Context, chart install.Chart) ([]*unstructured.Unstructured, error) {
	given, err := p.ask(ctx, request{Do: "render", Kubeconfig: p.Kubeconfig}, chart)
	if err != nil {
		return nil, err
	}
	objects := make([]*unstructured.Unstructured, len(given.Objects))
	for i, object := range given.Objects {
		objects[i] = &unstructured.Unstructured{Object: object}
	}
	return objects, nil
}

// Install installs or upgrades a release and waits for its hooks, not for its
// pods. What an earlier attempt has left half done is taken up.
func (p *Program) Install(ctx context.Context, chart install.Chart) error {
	_, err := p.ask(ctx, request{Do: "install", Kubeconfig: p.Kubeconfig}, chart)
	return err
}

// Uninstall removes a release; one that is not there is no error.
func (p *Program) Uninstall(ctx context.Context, chart install.Chart) error {
	_, err := p.ask(ctx, request{Do: "uninstall", Kubeconfig: p.Kubeconfig}, chart)
	return err
}

// Pull writes a chart's archive to a folder and returns its path and its digest,
// "sha256:" and hex digits. It needs no cluster.
func (p *Program) Pull(ctx context.Context, chart install.Chart, folder string) (path, digest string, err error) {
	given, err := p.ask(ctx, request{Do: "pull", To: folder}, chart)
	return given.Path, given.Digest, err
}

func (p *Program) ask(ctx context.Context, r request, c install.Chart) (answer, error) {
	if p.Path == "" {
		return answer{}, errors.New("the charts' program is not given")
	}
	r.Chart = chart{Release: c.Release, Namespace: c.Namespace, Repository: c.Repository, Name: c.Name, Version: c.Version, Values: c.Values}
	r.Held, r.Images = true, p.Images
	if deadline, ok := ctx.Deadline(); ok {
		r.Seconds = max((time.Until(deadline) - margin).Seconds(), 1)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return answer{}, fmt.Errorf("values of chart %s: %w", c.Name, err)
	}
	cmd := exec.CommandContext(ctx, p.Path)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	said, complained := &head{most: largest}, &tail{most: errorTail}
	cmd.Stdout, cmd.Stderr = said, complained
	// It stays open until the answer is there: its end tells the program that we
	// are gone.
	in, err := cmd.StdinPipe()
	if err != nil {
		return answer{}, err
	}
	if err := cmd.Start(); err != nil {
		return answer{}, fmt.Errorf("start the charts' program: %w", err)
	}
	// A program that ends early says why.
	_, _ = in.Write(text)
	ended := cmd.Wait()
	var given answer
	if err := json.Unmarshal(said.Bytes(), &given); err != nil {
		return answer{}, p.silent(ctx, r.Do, errors.Join(ended, said.overflow()), complained)
	}
	switch {
	case given.Error != "" && ctx.Err() != nil:
		return answer{}, fmt.Errorf("%w: %s", context.Cause(ctx), given.Error)
	case given.Error != "":
		return answer{}, errors.New(given.Error + complained.quoted(given.Error))
	case ended != nil:
		return answer{}, p.silent(ctx, r.Do, ended, complained)
	}
	return given, nil
}

// silent is the error of a program that has not answered.
func (p *Program) silent(ctx context.Context, do string, ended error, complained *tail) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s was interrupted: %w", do, context.Cause(ctx))
	}
	var exited *exec.ExitError
	if ended == nil {
		ended = errors.New("it ended in order")
	} else if errors.As(ended, &exited) && exited.ExitCode() < 0 {
		return fmt.Errorf("%s: %s was ended before its answer: %w%s", do, p.Path, ended, complained.quoted(""))
	}
	return fmt.Errorf("%s: %s gave no answer (%w); make charts builds the one that fits%s", do, p.Path, ended, complained.quoted(""))
}

// head keeps the beginning of what is written.
type head struct {
	bytes.Buffer
	most int
	lost bool
}

func (h *head) Write(text []byte) (int, error) {
	if room := h.most - h.Len(); len(text) > room {
		h.lost = true
		_, _ = h.Buffer.Write(text[:room])
		return len(text), nil
	}
	return h.Buffer.Write(text)
}

func (h *head) overflow() error {
	if h.lost {
		return fmt.Errorf("its answer has more than %d bytes", h.most)
	}
	return nil
}

// tail keeps the end of what is written.
type tail struct {
	text []byte
	most int
}

func (t *tail) Write(text []byte) (int, error) {
	t.text = append(t.text, text...)
	if over := len(t.text) - t.most; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(text), nil
}

// quoted is the tail for the end of an error, without lines that say what is
// said already.
func (t *tail) quoted(said string) string {
	var lines []string
	for line := range strings.Lines(string(t.text)) {
		line = strings.TrimSpace(line)
		if line == "" || said != "" && strings.Contains(line, strings.TrimSpace(said)) {
			continue
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n" + strings.Join(lines, "\n")
}
