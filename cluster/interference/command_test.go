package interference

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProgramShowsTheFaultsItIsTold(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	defer upstream.Close()
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{"--before", "127.0.0.1:0=" + upstream.Listener.Addr().String(), "--control", "127.0.0.1:0"}, nil, write, io.Discard)
		_ = write.Close()
	}()
	lines := bufio.NewScanner(read)
	var addresses []string
	for len(addresses) < 2 && lines.Scan() {
		fields := strings.Fields(lines.Text())
		addresses = append(addresses, fields[len(fields)-1])
	}
	ask := func() error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
		answer, err := client.Get("http://" + addresses[0])
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	order := func(body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+addresses[1]+ControlPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if code := order(`{"Cut": true}`); code != http.StatusNoContent {
		t.Fatalf("told to cut: status %d", code)
	}
	if err := ask(); err == nil {
		t.Error("a connection that is cut was answered")
	}
	if code := order(`{}`); code != http.StatusNoContent {
		t.Fatalf("told to mend: status %d", code)
	}
	if err := ask(); err != nil {
		t.Errorf("mended: %v", err)
	}
	for _, bad := range []string{`{"Cut": 1}`, `{"Dealy": 1}`, `{"Delay": -1}`, `{`, strings.Repeat(" ", 2*bodyLimit)} {
		if code := order(bad); code != http.StatusBadRequest {
			t.Errorf("order %.20q: status %d", bad, code)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if c, err := net.Dial("tcp", addresses[0]); err == nil {
		_ = c.Close()
		t.Error("the proxy is still there")
	}
}

func TestProgramRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--before", "8081"}, {"--before", ":0=a:1", "more"}, {"--cut"}} {
		if code := Main(t.Context(), args, nil, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
	if code := Main(t.Context(), []string{"--before", ":0=nowhere"}, nil, io.Discard, io.Discard); code != 1 {
		t.Errorf("an upstream without a port: exit code %d", code)
	}
}
