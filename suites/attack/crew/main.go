package crew

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	// WorkerCommand is the command under which an executable must call Main.
	WorkerCommand = "worker"
	// EnvToken names the variable that holds the token of a worker.
	EnvToken = "FLOODGATE_WORKER_TOKEN"
	// listening begins the line that says where a worker listens.
	listening = "listening on "
	// closePatience bounds how long a worker waits for readers when it ends.
	closePatience = 3 * time.Second
)

// Main is a worker: it serves shares of attacks until ctx ends, or with
// --leashed until stdin does, whose other end is held by the process that
// started it. Its first line on stdout is "listening on HOST:PORT".
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(WorkerCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	leashed := flags.Bool("leashed", false, "end when stdin ends")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	token := os.Getenv(EnvToken)
	if token == "" || flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "worker: want no arguments, and a token in %s\n", EnvToken)
		return 2
	}
	// What this process may start needs no token.
	_ = os.Unsetenv(EnvToken)
	if err := serve(ctx, *listen, *leashed, token, stdin, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "worker: %v\n", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, address string, leashed bool, token string, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if leashed {
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, stdin)
		}()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	worker := newServer(ctx, token)
	server := &http.Server{Handler: worker.handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(stdout, "%s%s\n", listening, listener.Addr()); err != nil {
		cancel()
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		// The shares have been given up with ctx: their ends are still read.
		worker.done.Wait()
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
		defer stop()
		if err = server.Shutdown(closing); err != nil {
			err = server.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
