package interference

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// ControlPort is where a pod's proxies are told what to do: the Fault is PUT to
// ControlPath in JSON.
const (
	ControlPort = 9474
	ControlPath = "/fault"
)

// bodyLimit bounds what one order may hold.
const bodyLimit = 1 << 10

// Main runs proxies until ctx ends and returns its exit code. Whoever reaches
// ControlPort may change what they do; in a cluster only those who may forward
// ports, or who are in it.
func Main(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var pairs []string
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("before", "LISTEN=UPSTREAM, such as :8081=limiter:8081; may be given again", func(pair string) error {
		if !strings.Contains(pair, "=") {
			return fmt.Errorf("%q is not LISTEN=UPSTREAM", pair)
		}
		pairs = append(pairs, pair)
		return nil
	})
	control := flags.String("control", fmt.Sprintf(":%d", ControlPort), "where faults are PUT")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if len(pairs) == 0 || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "proxy: want --before LISTEN=UPSTREAM, and nothing else")
		return 2
	}
	if err := serve(ctx, pairs, *control, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "proxy: %v\n", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, pairs []string, control string, stdout io.Writer) (err error) {
	var proxies []*Proxy
	defer func() {
		for _, p := range proxies {
			err = errors.Join(err, p.Close())
		}
	}()
	for _, pair := range pairs {
		address, upstream, _ := strings.Cut(pair, "=")
		p, err := Listen(address, upstream)
		if err != nil {
			return err
		}
		proxies = append(proxies, p)
		_, _ = fmt.Fprintf(stdout, "a proxy before %s listens at %s\n", upstream, p.Address())
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", control)
	if err != nil {
		return fmt.Errorf("listen for orders: %w", err)
	}
	_, _ = fmt.Fprintf(stdout, "orders are taken at %s\n", listener.Addr())
	server := &http.Server{Handler: orders(proxies), ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("take orders: %w", err)
	}
	return nil
}

// orders has all proxies show the fault of a request.
func orders(proxies []*Proxy) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT "+ControlPath, func(w http.ResponseWriter, r *http.Request) {
		var fault Fault
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&fault); err != nil || !fault.valid() {
			http.Error(w, "want a fault: {\"Cut\": bool, \"Delay\": ns, \"Jitter\": ns, \"Loss\": from 0 to below 1}", http.StatusBadRequest)
			return
		}
		for _, p := range proxies {
			p.Set(fault)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
