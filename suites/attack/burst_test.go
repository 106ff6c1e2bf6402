//go:build unix

package attack_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// The server looks into the kernel's queue of connections when the first byte
// of a hit has come: those of all other hits must be there.
func TestBurstOpensItsConnectionsBeforeItBegins(t *testing.T) {
	const hits = 20
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	opened := make(chan int, 1)
	go func() {
		first, err := listener.Accept()
		if err != nil {
			opened <- 0
			return
		}
		in := bufio.NewReader(first)
		_, _ = in.Peek(1)
		queued := queuedConnections(t, listener)
		opened <- 1 + len(queued)
		for _, conn := range queued {
			go answerOnce(conn, bufio.NewReader(conn))
		}
		answerOnce(first, in)
	}()

	report, _ := fire(t, at("http://"+listener.Addr().String(), hits, attack.Together))
	if n := <-opened; n != hits {
		t.Errorf("%d connections were open when the first hit came, want %d", n, hits)
	}
	if report.Outcomes[evidence.Admitted] != hits {
		t.Errorf("outcomes %v", report.Outcomes)
	}
}

// queuedConnections accepts what there is to accept without waiting.
func queuedConnections(t *testing.T, listener *net.TCPListener) (queued []net.Conn) {
	raw, err := listener.SyscallConn()
	if err != nil {
		t.Error(err)
		return nil
	}
	err = raw.Control(func(fd uintptr) {
		for {
			accepted, _, err := syscall.Accept(int(fd))
			if err != nil {
				return
			}
			file := os.NewFile(uintptr(accepted), "queued")
			if conn, err := net.FileConn(file); err == nil {
				queued = append(queued, conn)
			}
			_ = file.Close()
		}
	})
	if err != nil {
		t.Error(err)
	}
	return queued
}

func answerOnce(conn net.Conn, in *bufio.Reader) {
	defer conn.Close()
	if request, err := http.ReadRequest(in); err == nil {
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
}
