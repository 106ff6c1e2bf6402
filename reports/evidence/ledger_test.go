package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func admitted(seq uint64) Entry {
	return Entry{
		Hit: fmt.Sprintf("B02.a.%d", seq), Attack: "a", Seq: seq, Identity: "premium/premiumuser1",
		Due: 1, Sent: 2, Received: 3, Outcome: Admitted, Status: 200, From: FromBackend,
	}
}

func create(t *testing.T) (*Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger", "B02.jsonl")
	l, err := Create(path, Header{Case: "B02"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, path
}

func TestLedgerReadsBackWhatWasAppended(t *testing.T) {
	l, path := create(t)
	want := []Entry{
		admitted(0),
		{Hit: "B02.a.1", Attack: "a", Seq: 1, Outcome: Lost, Error: "connection reset by peer", Sent: 5, Received: 9},
		{
			Hit: "B02.a.2", Attack: "a", Seq: 2, Outcome: Denied, Status: 429, From: FromGateway,
			Answer: &Answer{Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: "Too Many Requests\n"},
		},
	}
	for i := range want {
		if err := l.Append(&want[i]); err != nil {
			t.Fatal(err)
		}
		if want[i].Number != i+1 {
			t.Errorf("entry %d got number %d", i+1, want[i].Number)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	header, got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if header.APIVersion != "floodgate/v1" || header.Case != "B02" || !header.Began.Equal(l.Header().Began) {
		t.Errorf("header read %+v, written %+v", header, l.Header())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-appended +read):\n%s", diff)
	}
}

func TestLedgerIsNeverWrittenOver(t *testing.T) {
	_, path := create(t)
	if _, err := Create(path, Header{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("creating it again: %v, want ErrExist", err)
	}
}

func TestConcurrentAttacksShareALedger(t *testing.T) {
	l, path := create(t)
	const attacks, hits = 8, 500
	var group sync.WaitGroup
	for a := range attacks {
		group.Go(func() {
			for seq := range uint64(hits) {
				e := admitted(seq)
				e.Attack = fmt.Sprint(a)
				if err := l.Append(&e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, entries, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]uint64{}
	for i, e := range entries {
		if e.Seq != next[e.Attack] {
			t.Fatalf("attack %s: hit %d where %d was due", e.Attack, e.Seq, next[e.Attack])
		}
		if next[e.Attack]++; e.Number != i+1 {
			t.Fatalf("entry %d has number %d", i+1, e.Number)
		}
	}
	if len(entries) != attacks*hits {
		t.Errorf("%d entries, want %d", len(entries), attacks*hits)
	}
}

// A run that is killed loses at most the last 200 ms: the file is read here
// while nobody has closed the ledger.
func TestEntriesReachTheFileWhileTheAttackRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, path := create(t)
		for round := range 3 {
			e := admitted(uint64(round))
			if err := l.Append(&e); err != nil {
				t.Fatal(err)
			}
			time.Sleep(flushAfter) //nolint:forbidigo // the bubble's clock: nothing waits
			synctest.Wait()
			if _, entries, err := Read(path); err != nil || len(entries) != round+1 {
				t.Fatalf("%d entries on disk after %d were written (%v)", len(entries), round+1, err)
			}
		}
	})
}

func TestNamesOfAttacksAreUnique(t *testing.T) {
	l, _ := create(t)
	for _, tc := range []struct{ asked, got string }{
		{"burst", "burst"}, {"", "attack-2"}, {"attack-3", "attack-3"}, {"", "attack-4"},
	} {
		if got, err := l.Claim(tc.asked); err != nil || got != tc.got {
			t.Errorf("Claim(%q) = %q, %v; want %q", tc.asked, got, err, tc.got)
		}
	}
	if _, err := l.Claim("burst"); err == nil || !strings.Contains(err.Error(), `"burst"`) {
		t.Errorf("the second burst: %v", err)
	}
}

// fullDisk takes some bytes and then has no space left.
type fullDisk struct{ free int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.free {
		return d.free, syscall.ENOSPC
	}
	d.free -= len(p)
	return len(p), nil
}

func (*fullDisk) Close() error { return nil }

func TestFullDiskSurfaces(t *testing.T) {
	t.Run("in Append, and in every one after it", func(t *testing.T) {
		l, err := newLedger("full", &fullDisk{free: flushSize}, Header{})
		if err != nil {
			t.Fatal(err)
		}
		failed := false
		for seq := range uint64(2000) {
			e := admitted(seq)
			err := l.Append(&e)
			if failed && err == nil {
				t.Fatal("an entry was taken after one was lost")
			}
			failed = failed || errors.Is(err, syscall.ENOSPC)
		}
		if !failed {
			t.Error("no Append said that the disk is full")
		}
		if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close: %v", err)
		}
	})
	t.Run("in Close", func(t *testing.T) {
		l, err := newLedger("full", &fullDisk{free: 150}, Header{})
		if err != nil {
			t.Fatal(err)
		}
		e := admitted(0)
		if err := l.Append(&e); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close: %v", err)
		}
	})
	t.Run("in Create", func(t *testing.T) {
		if _, err := newLedger("full", &fullDisk{}, Header{}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("newLedger: %v", err)
		}
	})
}

func TestClosedLedgerTakesNothing(t *testing.T) {
	l, _ := create(t)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e := admitted(0)
	if err := l.Append(&e); err == nil {
		t.Error("an entry was taken after Close")
	}
}
