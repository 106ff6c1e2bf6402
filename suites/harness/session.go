// Package harness is where a spec meets its run: it enrols identities, fires
// attacks, reads the books, asks the oracle and writes all of it down.
package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// EnvRunDir names the environment variable that tells a spec process the
// absolute path of its run's folder.
const EnvRunDir = "FLOODGATE_RUN_DIR"

// The files of a run's folder that processes share while it goes.
const (
	sessionFile  = "session.json"
	eventsFile   = "events.jsonl"
	casesDir     = "cases"
	questionsDir = "questions"
	ledgerDir    = "ledger"
)

// The variants of a policy that specs run on.
const (
	// Policy is the user's policy as it is.
	Policy = "policy"
	// Twin is the same policy with its windows shortened to TwinWindow.
	Twin = "twin"
	// Open is the same policy without its rate limits.
	Open = "open"
	// Edits is the same policy, for specs that put others in force meanwhile.
	Edits = "edits"
	// Headers is the policy with windows of a few seconds, with limits that it
	// seldom has where Shapes has them, and with a limiter that sends rate-limit
	// headers.
	Headers = "headers"
	// Shapes is the policy with limits that it seldom has, for requests that name
	// one, with more routes and one more listener where its routes can be copied.
	Shapes = "shapes"
	// Several is the policy with limits of several windows, and for a header, a
	// path and a method; its limiter sends rate-limit headers too.
	Several = "several"
	// Brief is the policy with one hit in one second for everybody.
	Brief = "brief"
	// Stopping is the same policy, with a limiter that is told to stop.
	Stopping = "stopping"
	// Hostname is the policy behind one concrete host name and an exact path.
	Hostname = "hostname"
	// Unguarded is the policy that lets callers of every group in.
	Unguarded = "unguarded"
	// AbsentLabel is the policy with a metric label that no caller has.
	AbsentLabel = "absent-label"
	// ByModel is the policy with limits that read the model in the body.
	ByModel = "by-model"
	// Moved is the policy with more routes, for specs that move policies and take
	// routes away.
	Moved = "moved"
	// Tokens is the policy with two limits on tokens beside those on hits.
	Tokens = "tokens"
	// Tightened is the policy, for a spec that takes its limits away and puts
	// them back.
	Tightened = "tightened"
	// Epoch is the policy with windows of TwinWindow, and with a limiter whose
	// windows end by the clock.
	Epoch = "epoch"
	// Restarts is the policy, for specs that restart components.
	Restarts = "restarts"
	// Faults is the policy behind a network that can be interfered with.
	Faults = "faults"
	// Strict is the same, with a gateway that turns away what no limiter hears, and
	// a model that answers every request with a 429 of its own.
	Strict = "strict"
	// Retrying is the policy, with a gateway that tries again what the model fails,
	// and a model that fails every request.
	Retrying = "retrying"
)

// Session is what every process of a run must know. It holds no keys.
type Session struct {
	Run string `json:"run"`
	// Shown is the run's folder as the user named it.
	Shown string `json:"shown"`
	Lane  string `json:"lane"`
	Seed  int64  `json:"seed"`
	// Trials is how many random trials the run draws, and Trial the absolute path of
	// the one that it was given instead.
	Trials int    `json:"trials,omitempty"`
	Trial  string `json:"trial,omitempty"`
	// Multitude is how many callers there are where thousands are meant.
	Multitude int `json:"multitude,omitempty"`
	// WindowModel is how the limiter under test is declared to count, "" being
	// oracle.FirstHit.
	WindowModel oracle.WindowModel `json:"windowModel,omitempty"`
	// Protocol is what attacks speak that do not say it themselves, "" being
	// attack.HTTP1.
	Protocol attack.Protocol `json:"protocol,omitempty"`
	// Again is the command line that starts this run's provider and policies
	// again; a case adds its --case.
	Again string        `json:"again"`
	Stack cluster.Stack `json:"stack"`
	// Planned names the files of the cases that the run must judge: one that
	// left none is a doubt, not an absence.
	Planned []string `json:"planned,omitempty"`
	// Declared names the weaknesses that the run takes as given.
	Declared []string `json:"declared,omitempty"`
	// Workers share the run's attacks, nil where the spec processes fire alone.
	Workers *Workers `json:"workers,omitempty"`
}

// WriteSession stores the session in the run's folder and makes the folders
// that spec processes write to.
func WriteSession(runDir string, s Session) error {
	for _, dir := range []string{casesDir, questionsDir, ledgerDir} {
		if err := os.MkdirAll(filepath.Join(runDir, dir), 0o755); err != nil {
			return fmt.Errorf("prepare the run's folder: %w", err)
		}
	}
	return writeJSON(filepath.Join(runDir, sessionFile), s)
}

// ReadSession finds the session of a run's folder.
func ReadSession(runDir string) (Session, error) {
	var s Session
	content, err := os.ReadFile(filepath.Join(runDir, sessionFile))
	if err != nil {
		return s, fmt.Errorf("no session in the run's folder: %w", err)
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(runDir, sessionFile), err)
	}
	return s, nil
}

// writeJSON replaces a file as a whole: a reader never sees half of it, and a
// full disk leaves the old one.
func writeJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(append(content, '\n'))
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(temporary.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
