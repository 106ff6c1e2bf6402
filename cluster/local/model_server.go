package local

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster/probe"
)

const (
	modelServer = "llmd"
	journalName = "journal"
	// model is the seed's model id (sut.md 1.1); the stand-in serves the
	// second one too, so that an attack can alternate between models.
	model       = "random"
	secondModel = "random-b"
)

// startBackend starts the shared model server.
func (u *upping) startBackend(ctx context.Context) (err error) {
	u.backend, err = u.startModel(ctx, mainVariant, nil)
	return err
}

// startOwnModel starts a variant's own, which fails every request in one of these
// ways.
func (u *upping) startOwnModel(ctx context.Context, v *variant, failures []string) (err error) {
	v.backend, err = u.startModel(ctx, v.name, failures)
	return err
}

// startModel starts a model server. The stand-in keeps the journal itself; a real
// one gets a proxy in front that does.
func (u *upping) startModel(ctx context.Context, variant string, failures []string) (base string, err error) {
	p := u.part(modelServer, variant)
	p.ports = []string{modelPort}
	p.args = func(ports map[string]int) []string {
		args := []string{"--port", strconv.Itoa(ports[modelPort]), "--model", model}
		if len(failures) > 0 {
			args = append(args, "--failure-injection-rate", "100", "--failure-types", strings.Join(failures, ","))
		}
		if p.program != "" {
			return args
		}
		args = append(args, "--bind", loopback, "--served-model-name", model, "--served-model-name", secondModel)
		return append(args, u.faultArgs(p)...)
	}
	p.ready = listsModels(modelPort)
	p.waiting = func(ports map[string]int) string { return baseURL(ports[modelPort]) + "/v1/models" }
	r, err := u.stack.up(ctx, p)
	if err != nil {
		return "", err
	}
	base = baseURL(r.ports[modelPort])
	if p.program == "" {
		return base, nil
	}
	return u.startJournal(ctx, variant, base)
}

func (u *upping) startJournal(ctx context.Context, variant, upstream string) (base string, err error) {
	p := u.part(journalName, variant)
	p.ports = []string{journalPort}
	p.args = func(ports map[string]int) []string {
		return []string{"--bind", loopback, "--port", strconv.Itoa(ports[journalPort]), "--upstream", upstream}
	}
	p.ready = listsModels(journalPort)
	p.waiting = func(ports map[string]int) string { return baseURL(ports[journalPort]) + "/v1/models" }
	r, err := u.stack.up(ctx, p)
	if err != nil {
		return "", err
	}
	return baseURL(r.ports[journalPort]), nil
}

// backendOf is the base URL of a variant's backend, its own or the shared one.
func (u *upping) backendOf(v *variant) string { return cmp.Or(v.backend, u.backend) }

func listsModels(port string) func(context.Context, map[string]int) error {
	return func(ctx context.Context, ports map[string]int) error {
		return probe.Answers(ctx, baseURL(ports[port])+"/v1/models")
	}
}
