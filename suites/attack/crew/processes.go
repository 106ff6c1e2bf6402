package crew

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxProcesses bounds the workers of one machine.
	MaxProcesses = 64
	// startPatience bounds how long a worker takes to listen.
	startPatience = 10 * time.Second
	// stopGrace is how long a worker that is asked to end may take.
	stopGrace = 5 * time.Second
	// tokenFile is the file's name that WriteToken makes.
	tokenFile = "worker-token"
)

// Pool are workers that run as processes of this machine.
type Pool struct {
	token   string
	urls    []string
	workers []*process
}

// process is a worker's process. It ends when its stdin does, whose other end
// this process holds: also when this process is killed.
type process struct {
	cmd   *exec.Cmd
	leash io.Closer
	log   *os.File
	ended chan struct{}
	err   error
}

// StartProcesses starts n workers, "<executable> worker", which must call Main,
// and returns once all of them listen. What they complain of goes to
// logsDir/worker-N.log. The workers end with Stop, and with this process,
// however it ends; the end of ctx ends only their start.
func StartProcesses(ctx context.Context, executable string, n int, logsDir string) (*Pool, error) {
	if n < 1 || n > MaxProcesses {
		return nil, fmt.Errorf("%d workers: want 1 to %d on one machine", n, MaxProcesses)
	}
	if err := os.MkdirAll(logsDir, 0o755); err != nil {
		return nil, fmt.Errorf("log the workers: %w", err)
	}
	p := &Pool{token: NewToken(), urls: make([]string, n)}
	type listener struct {
		worker int
		url    string
		err    error
	}
	listeners := make(chan listener, n)
	for i := range n {
		worker, stdout, err := p.start(executable, filepath.Join(logsDir, "worker-"+strconv.Itoa(i)+".log"))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start worker %d: %w", i, err), p.Stop(context.WithoutCancel(ctx)))
		}
		go func() {
			url, err := listens(stdout)
			listeners <- listener{i, url, err}
			_, _ = io.Copy(io.Discard, stdout)
			worker.wait()
		}()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("a worker does not listen after %v", startPatience))
	defer cancel()
	for range n {
		var err error
		select {
		case l := <-listeners:
			if p.urls[l.worker] = l.url; l.err != nil {
				err = fmt.Errorf("worker %d: %w: see its log in %s", l.worker, l.err, logsDir)
			}
		case <-ctx.Done():
			err = fmt.Errorf("start workers: %w", context.Cause(ctx))
		}
		if err != nil {
			return nil, errors.Join(err, p.Stop(context.WithoutCancel(ctx)))
		}
	}
	return p, nil
}

func (p *Pool) start(executable, logFile string) (*process, io.Reader, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(executable, WorkerCommand, "--leashed", "--listen", "127.0.0.1:0")
	cmd.Env = append(environment(), EnvToken+"="+p.token)
	cmd.Stderr = log
	// A group of its own: a terminal's Ctrl-C is for who started it, who first
	// reads the ledgers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	worker := &process{cmd: cmd, leash: leash, log: log, ended: make(chan struct{})}
	p.workers = append(p.workers, worker)
	return worker, stdout, nil
}

// listens reads the line that says where a worker listens.
func listens(stdout io.Reader) (url string, err error) {
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), listening)
	if !ok {
		return "", errors.Join(errors.New("it ended before it listened"), ignoreEnd(err))
	}
	return "http://" + address, nil
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// environment is what a program needs to run, and nothing by which requests
// could be led elsewhere.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL", "TZ", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

func (w *process) wait() {
	w.err = w.cmd.Wait()
	_ = w.log.Close()
	close(w.ended)
}

// URLs are the workers' base URLs by their index.
func (p *Pool) URLs() []string { return p.urls }

// Token is what the workers know their coordinator by.
func (p *Pool) Token() string { return p.token }

// PIDs are the workers' process ids by their index.
func (p *Pool) PIDs() []int {
	ids := make([]int, len(p.workers))
	for i, worker := range p.workers {
		ids[i] = worker.cmd.Process.Pid
	}
	return ids
}

// Stop ends all workers and returns when they are gone; those that do not end
// when they are asked to are killed.
func (p *Pool) Stop(ctx context.Context) error {
	var stops sync.WaitGroup
	for _, worker := range p.workers {
		stops.Go(func() {
			_ = worker.leash.Close()
			grace := time.NewTimer(stopGrace)
			defer grace.Stop()
			select {
			case <-worker.ended:
				return
			case <-grace.C:
			case <-ctx.Done():
			}
			_ = worker.cmd.Process.Kill()
			<-worker.ended
		})
	}
	stops.Wait()
	p.workers = nil
	return nil
}

// WriteToken puts the workers' token into a file of a private folder, for the
// processes of the run that fire, and returns its path.
func WriteToken(privateDir, token string) (string, error) {
	path := filepath.Join(privateDir, tokenFile)
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		return "", fmt.Errorf("keep the workers' token: %w", err)
	}
	return path, nil
}

// ReadToken reads what WriteToken wrote.
func ReadToken(path string) (string, error) {
	token, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the workers' token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}
