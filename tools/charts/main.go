// Floodgate-charts renders, installs, uninstalls and pulls Helm charts for
// floodgate. It reads one request as JSON from its standard input and writes one
// answer as JSON to its standard output; what Helm logs goes to standard error.
// It is a module of its own: Helm's library is far heavier than all the rest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Chart is a chart in a version and where it goes.
type Chart struct {
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	// Repository is an https:// or oci:// URL, a folder with an index.yaml or with
	// charts' archives, a chart's folder or its archive.
	Repository string         `json:"repository"`
	Name       string         `json:"name"`
	Version    string         `json:"version"`
	Values     map[string]any `json:"values,omitempty"`
}

// Request is what is asked of the program.
type Request struct {
	// Do is render, install, uninstall or pull.
	Do string `json:"do"`
	// Kubeconfig is a file; render needs none and then assumes Helm's own version
	// of Kubernetes, pull never needs it.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	Chart      Chart  `json:"chart"`
	// Images are names of images that are replaced wherever a chart says them, as
	// for a registry that mirrors others.
	Images images `json:"images,omitempty"`
	// To is the folder that pull writes the chart's archive to.
	To string `json:"to,omitempty"`
	// Seconds bound the whole request; 0 is ten minutes.
	Seconds float64 `json:"seconds,omitempty"`
	// Held tells that standard input stays open for as long as the answer is
	// wanted: its end, such as that of a caller that was killed, ends the request.
	Held bool `json:"held,omitempty"`
}

// Answer is what became of it.
type Answer struct {
	// Error is why it failed, with Helm's message.
	Error string `json:"error,omitempty"`
	// Objects are what render gives.
	Objects []*unstructured.Unstructured `json:"objects,omitempty"`
	// Path and Digest are of the archive that pull wrote; the digest is
	// "sha256:" and hex digits of its bytes.
	Path   string `json:"path,omitempty"`
	Digest string `json:"digest,omitempty"`
}

const defaultPatience = 10 * time.Minute

func main() {
	// Helm writes to standard output here and there, which is the protocol's.
	out := os.Stdout
	os.Stdout = os.Stderr
	log.SetOutput(os.Stderr)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, os.Stdin, out); err != nil {
		fmt.Fprintln(os.Stderr, "floodgate-charts:", err)
		os.Exit(1)
	}
}

// serve answers one request. The error is also in the answer, unless the answer
// cannot be written.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	var request Request
	if err := decoder.Decode(&request); err != nil {
		return errors.Join(fmt.Errorf("read the request: %w", err), json.NewEncoder(out).Encode(Answer{Error: "the request is no JSON of this program"}))
	}
	patience := defaultPatience
	if request.Seconds > 0 {
		patience = time.Duration(request.Seconds * float64(time.Second))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %s", patience))
	defer cancel()
	if request.Held {
		ctx = whileOpen(ctx, io.MultiReader(decoder.Buffered(), in))
	}
	answer, err := carryOut(ctx, request)
	if err != nil {
		err = errors.New(newRedactor(request).clean(err.Error()))
		answer = Answer{Error: err.Error()}
	}
	if encodeErr := json.NewEncoder(out).Encode(answer); encodeErr != nil {
		return fmt.Errorf("write the answer: %w", encodeErr)
	}
	return err
}

// whileOpen ends the context with the reader.
func whileOpen(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		// How it ended is all the same.
		_, _ = io.Copy(io.Discard, in)
		cancel(errors.New("whoever asked is gone"))
	}()
	return ctx
}

func carryOut(ctx context.Context, request Request) (Answer, error) {
	h, err := open(request)
	if err != nil {
		return Answer{}, err
	}
	defer h.close()
	switch request.Do {
	case "render":
		objects, err := h.render(ctx)
		return Answer{Objects: objects}, err
	case "install":
		return Answer{}, h.install(ctx)
	case "uninstall":
		return Answer{}, h.uninstall(ctx)
	case "pull":
		path, digest, err := h.pull(ctx, request.To)
		return Answer{Path: path, Digest: digest}, err
	}
	return Answer{}, fmt.Errorf("%q is nothing that this program does; it does render, install, uninstall and pull", request.Do)
}
