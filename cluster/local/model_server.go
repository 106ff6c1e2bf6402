package local

import (
	"context"
	"strconv"

	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/standin/journal"
)

const (
	modelServer = "llmd"
	journalName = "journal"
	// model is the seed's model id (sut.md 1.1); the stand-in serves the
	// second one too, so that an attack can alternate between models.
	model       = "random"
	secondModel = "random-b"
)

// startBackend starts the shared model server. The stand-in keeps the journal
// itself; a real one gets a proxy in front that does.
func (u *upping) startBackend(ctx context.Context) error {
	p := u.part(modelServer, mainVariant)
	p.ports = []string{modelPort}
	p.args = func(ports map[string]int) []string {
		args := []string{"--port", strconv.Itoa(ports[modelPort]), "--model", model}
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
		return err
	}
	u.backend = baseURL(r.ports[modelPort])
	if p.program == "" {
		return nil
	}
	return u.startJournal(ctx)
}

func (u *upping) startJournal(ctx context.Context) error {
	p := u.part(journalName, mainVariant)
	p.ports = []string{journalPort}
	upstream := u.backend
	p.args = func(ports map[string]int) []string {
		return []string{"--bind", loopback, "--port", strconv.Itoa(ports[journalPort]), "--upstream", upstream}
	}
	p.ready = listsModels(journalPort)
	p.waiting = func(ports map[string]int) string { return baseURL(ports[journalPort]) + "/v1/models" }
	r, err := u.stack.up(ctx, p)
	if err != nil {
		return err
	}
	u.backend = baseURL(r.ports[journalPort])
	return nil
}

func listsModels(port string) func(context.Context, map[string]int) error {
	return func(ctx context.Context, ports map[string]int) error {
		return probe.Answers(ctx, baseURL(ports[port])+"/v1/models")
	}
}

// journalURL is where the backend says which hits it served.
func (u *upping) journalURL() string { return u.backend + journal.Path }
