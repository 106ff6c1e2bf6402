package interference

import (
	"bufio"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience bounds what must happen, and asserts no time.
const patience = time.Minute

// echo answers each line with itself until the test ends.
func echo(t *testing.T) (hostPort string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	return listener.Addr().String()
}

func before(t *testing.T, upstream string) *Proxy {
	t.Helper()
	proxy, err := Listen("127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// ask sends a line and returns what came back, and after how long.
func ask(connection net.Conn, line string) (answer string, took time.Duration, err error) {
	began := time.Now()
	if _, err = io.WriteString(connection, line+"\n"); err != nil {
		return "", 0, err
	}
	answer, err = bufio.NewReader(connection).ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), time.Since(began), err
}

func answered(t *testing.T, connection net.Conn, line string) time.Duration {
	t.Helper()
	answer, took, err := ask(connection, line)
	if err != nil || answer != line {
		t.Fatalf("asked %q, got %q, %v", line, answer, err)
	}
	return took
}

// fails wants a connection to be ended, and not to be left waiting.
func fails(t *testing.T, connection net.Conn) {
	t.Helper()
	answer, _, err := ask(connection, "anybody there?")
	if err == nil {
		t.Fatalf("cut off, and yet the answer is %q", answer)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Fatalf("cut off, and left to wait: %v", err)
	}
}

func TestCutEndsWhatIsOpenAndWhatComes(t *testing.T) {
	proxy := before(t, echo(t))
	open := dial(t, proxy)
	if proxy.Answers() {
		t.Error("nobody has asked, and yet it answers")
	}
	answered(t, open, "before")
	if !proxy.Answers() {
		t.Error("it has answered on a connection that is open")
	}
	proxy.Set(Fault{Cut: true})
	fails(t, open)
	fails(t, dial(t, proxy))
	proxy.Set(Fault{})
	answered(t, dial(t, proxy), "after")
}

func TestDelayIsOfAnswers(t *testing.T) {
	const delay, jitter = 60 * time.Millisecond, 20 * time.Millisecond
	proxy := before(t, echo(t))
	connection := dial(t, proxy)
	answered(t, connection, "warm")
	proxy.Set(Fault{Delay: delay, Jitter: jitter})
	for range 5 {
		if took := answered(t, connection, "slow"); took < delay-jitter {
			t.Errorf("an answer came after %s, it is to be delayed by %s ± %s", took, delay, jitter)
		}
	}
	// An answer that is held back for an hour comes at once when that is over.
	proxy.Set(Fault{Delay: time.Hour})
	done := make(chan error, 1)
	go func() {
		_, _, err := ask(connection, "held back")
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("an answer that is an hour late is here: %v", err)
	case <-time.After(delay):
	}
	proxy.Set(Fault{})
	if err := <-done; err != nil {
		t.Errorf("mended, and yet %v", err)
	}
}

func TestJitterStaysInItsBounds(t *testing.T) {
	f := Fault{Delay: 50, Jitter: 30}
	seen := map[time.Duration]bool{}
	for range 5000 {
		late := f.late()
		if late < 20 || late > 80 {
			t.Fatalf("late by %d, want 50 ± 30", late)
		}
		seen[late] = true
	}
	if len(seen) != 61 {
		t.Errorf("%d different delays, want each of 61", len(seen))
	}
	if late := (Fault{Delay: 1, Jitter: 1000}).late(); late < 0 {
		t.Errorf("late by %d", late)
	}
}

func TestUpstreamIsLookedUpForEachConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	proxy := before(t, net.JoinHostPort("localhost", port))
	_ = listener.Close()
	fails(t, dial(t, proxy))
	again, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	defer again.Close()
	go func() {
		if connection, err := again.Accept(); err == nil {
			_, _ = io.Copy(connection, connection)
		}
	}()
	answered(t, dial(t, proxy), "back")
}

// TestCloseLeavesNothing holds answers back for a client that has gone, which
// nobody would ever take.
func TestCloseLeavesNothing(t *testing.T) {
	proxy := before(t, echo(t))
	for range 200 {
		connection := dial(t, proxy)
		answered(t, connection, "here")
		proxy.Set(Fault{Delay: time.Hour})
		if _, err := io.WriteString(connection, "too late\n"); err != nil {
			t.Fatal(err)
		}
		_ = connection.Close()
		proxy.Set(Fault{Delay: time.Millisecond})
	}
	held := dial(t, proxy)
	answered(t, held, "here")
	proxy.Set(Fault{Delay: time.Hour})
	if _, err := io.WriteString(held, "too late\n"); err != nil {
		t.Fatal(err)
	}
	if left := links(); left == "" {
		t.Fatal("nothing is under way, so nothing can be left")
	}
	if err := errors.Join(proxy.Close(), proxy.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", proxy.Address()); err == nil {
		t.Error("closed, and yet it listens")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		left := links()
		if left == "" {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("goroutines are left:\n%s", left)
		}
	}
}

// links are the stacks of all goroutines, "" if none of them is of a connection.
func links() string {
	stacks := make([]byte, 1<<20)
	text := string(stacks[:runtime.Stack(stacks, true)])
	if strings.Contains(text, "toxics.(*ToxicStub)") || strings.Contains(text, "toxiproxy/v2.(*ToxicLink)") {
		return text
	}
	return ""
}

func TestAddressesThatCannotBe(t *testing.T) {
	for _, addresses := range [][2]string{{"127.0.0.1", "127.0.0.1:1"}, {"127.0.0.1:0", "limitador"}, {"256.0.0.1:0", "127.0.0.1:1"}} {
		if proxy, err := Listen(addresses[0], addresses[1]); err == nil {
			_ = proxy.Close()
			t.Errorf("%v: no error", addresses)
		}
	}
}

func TestALostSegmentIsLateAndStaysInOrder(t *testing.T) {
	proxy := before(t, echo(t))
	connection := dial(t, proxy)
	proxy.Set(Fault{Loss: 0.1})
	var late, most time.Duration
	// All of 200 lines on time would be no run at all, and one that is lost six times in
	// a row, which patience does not bear, one in a million.
	for range 200 {
		took := answered(t, connection, "lost?")
		most = max(most, took)
		if took >= Retransmit {
			late += took
		}
		if late > 0 {
			break
		}
	}
	if late == 0 {
		t.Errorf("no line was late: the latest took %s, want one of %s", most, Retransmit)
	}
	proxy.Set(Fault{})
	answered(t, connection, "after")
}
