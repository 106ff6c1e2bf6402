package harness

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// heardBed is a bed on the seed on which these attacks were fired.
func heardBed(t *testing.T, attacks ...attack.Attack) *Bed {
	t.Helper()
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	b := &Bed{run: &run{spec: &spec{name: "I15", attacks: map[string]attackPlan{}}}, set: set, variant: cluster.Variant{Name: Policy}}
	for _, a := range attacks {
		request := set.Request()
		a.Target.Method, a.Target.Host, a.Target.Path, a.Target.ContentType = request.Method, request.Host, request.Path, request.ContentType
		b.run.spec.attacks[a.Name] = attackPlan{identity: subjectOf(a), variant: Policy, fired: attackOf(a)}
	}
	return b
}

func TestCallersAreAskedAboutAsTheyPresentedThemselves(t *testing.T) {
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	known := set.Identities()
	alice, bob := known[0], known[len(known)-1]
	moved := bob
	moved.Tier = alice.Tier
	forged := "APIKEY no-such-key"
	b := heardBed(t,
		attack.Attack{Name: "a1", As: alice}, attack.Attack{Name: "a2", As: alice},
		attack.Attack{Name: "a3", As: alice, Header: http.Header{"X-Userid": {"bob"}}},
		attack.Attack{Name: "a4", As: bob}, attack.Attack{Name: "a5", As: moved},
		attack.Attack{Name: "a6", Anonymous: true}, attack.Attack{Name: "a7", As: tier.Identity{Credential: alice.Credential}, Forged: &forged},
		attack.Attack{Name: "a8", As: alice, Also: []tier.Identity{bob}},
	)
	q := oracle.Question{Attacks: []oracle.Attack{{Name: "a3"}}}
	var got [][]string
	forms := b.forms(q)
	for _, f := range forms {
		got = append(got, append([]string{f.Caller, f.Shown}, f.Attacks...))
	}
	want := [][]string{
		{alice.String(), "the key and the client's X-Userid", "a3"},
		{alice.String(), "the key", "a1", "a2"},
		// Who had bob's key before it was moved is nobody any more.
		{moved.String(), "the key", "a5"},
		{"", "no key", "a6"},
		{"", "a forged key", "a7"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if due := forms[1].Due; due == nil || due.User != alice.Name || len(due.Limits) != len(alice.Limits) {
		t.Errorf("due of %s is %+v", alice, due)
	}
	if forms[3].Due != nil || forms[4].Due != nil {
		t.Error("a stranger is due something")
	}
}

// A name that is too long to be written down is the same name all the same.
func TestALongNameIsItsOwn(t *testing.T) {
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	alice := set.Identities()[0]
	for _, name := range []string{strings.Repeat("a", 3*longestUser), "odd\xff\x00\u202e", strings.Repeat("é", longestUser)} {
		alice.Name = name
		b := heardBed(t, attack.Attack{Name: "a1", As: alice})
		f := b.forms(oracle.Question{})[0]
		f.note(b.standing(f, probe.Word{Status: http.StatusOK, Auth: map[string]any{"identity": map[string]any{"userid": name, "groups": alice.Tier}}}))
		if f.Due.Differs(f.Said[0].Standing) {
			t.Errorf("%.20q is taken for another: %.60q", name, f.Said[0].User)
		}
	}
}

// What an authorizer says may hold the key that it was shown.
func TestNoKeyIsWrittenDown(t *testing.T) {
	set, err := policy.ReadFS(seed.FS, "seed")
	if err != nil {
		t.Fatal(err)
	}
	alice := set.Identities()[0]
	b := heardBed(t, attack.Attack{Name: "a1", As: alice})
	f := b.forms(oracle.Question{})[0]
	said := probe.Word{Status: http.StatusOK, Auth: map[string]any{"identity": map[string]any{
		"userid": "is " + alice.Key.Reveal() + strings.Repeat("\xff", 2*longestUser), "groups": "",
	}}}
	f.note(b.standing(f, said))
	written, err := json.Marshal(evidence.Hearing{Words: []evidence.Word{f.Word}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(written), alice.Key.Reveal()) || !strings.Contains(string(written), "is [redacted]") {
		t.Errorf("written down is %s", written)
	}
	if user := f.Said[0].User; len(user) > longestUser {
		t.Errorf("a name of %d bytes is written down", len(user))
	}
}

func TestTrueWordsInARow(t *testing.T) {
	due := &evidence.Standing{Status: http.StatusOK, User: "alice", Limits: []string{"free"}}
	right := evidence.Answered{Standing: *due, Times: 150}
	wrong := evidence.Answered{Standing: evidence.Standing{Status: http.StatusOK, User: "bob", Limits: []string{"free"}}, Times: 1}
	for name, c := range map[string]struct {
		words []evidence.Word
		want  int
	}{
		"none":              {nil, 500},
		"all true":          {[]evidence.Word{{Due: due, Said: []evidence.Answered{right}}, {Due: due, Said: []evidence.Answered{right}}}, 800},
		"strangers beside":  {[]evidence.Word{{Due: due, Said: []evidence.Answered{right}}, {Said: []evidence.Answered{wrong}}}, 650},
		"one is wrong":      {[]evidence.Word{{Due: due, Said: []evidence.Answered{right, wrong}}}, 0},
		"one has no answer": {[]evidence.Word{{Due: due, Said: []evidence.Answered{right}, Failed: 1}}, 0},
	} {
		if got := truthful(500, c.words); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
