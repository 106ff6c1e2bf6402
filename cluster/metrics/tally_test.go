package metrics

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func page(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// seedNamespace is the limiter's namespace of the seed's route.
const seedNamespace = "llm-d/ms-sim-llm-d-modelservice"

func TestParseLimiterRecordedPages(t *testing.T) {
	for _, test := range []struct {
		file, label string
		want        Tally
	}{
		{"a1_start.txt", "", Tally{Users: map[string]Calls{}}},
		{"a5_plus_addend_5_admitted.txt", "", Tally{
			Unlabelled: Calls{4, 1, 8}, Total: Calls{4, 1, 8},
		}},
		{"a11_plus_http_check_and_report_delta_3.txt", "", Tally{
			Unlabelled: Calls{6, 3, 20}, Total: Calls{6, 3, 20},
		}},
		{"b1_labels_default_user_group.txt", "", Tally{
			Users: map[string]Calls{
				"": {1, 0, 1}, "x": {1, 0, 1}, "freeuser1": {2, 1, 2}, "premiumuser1": {2, 0, 2},
			},
			Unlabelled: Calls{1, 0, 1}, Total: Calls{7, 1, 7},
			Namespaces: map[string]map[string]int64{
				"": {"nope": 1}, "x": {"nope": 1}, "freeuser1": {seedNamespace: 3}, "premiumuser1": {seedNamespace: 2},
			},
		}},
		{"b1_labels_default_user_group.txt", "group", Tally{
			Users: map[string]Calls{
				"y": {1, 0, 1}, "free": {2, 1, 2}, "premium": {2, 0, 2},
			},
			Unlabelled: Calls{2, 0, 2}, Total: Calls{7, 1, 7},
			Namespaces: map[string]map[string]int64{"y": {"nope": 1}, "free": {seedNamespace: 3}, "premium": {seedNamespace: 2}},
		}},
		{"b3_limit_name_and_labels_default.txt", "user", Tally{
			Users: map[string]Calls{
				"": {1, 0, 1}, "x": {1, 0, 1}, "freeuser1": {2, 1, 2}, "premiumuser1": {2, 0, 2},
			},
			Unlabelled: Calls{1, 0, 1}, Total: Calls{7, 1, 7},
			Refusals: map[string]map[string]int64{"freeuser1": {"free-user-requests": 1}},
			Namespaces: map[string]map[string]int64{
				"": {"nope": 1}, "x": {"nope": 1}, "freeuser1": {seedNamespace: 3}, "premiumuser1": {seedNamespace: 2},
			},
		}},
		{"fork_seed.txt", "", Tally{
			Users: map[string]Calls{
				"premiumuser1": {30, 53, 0}, "freeuser1": {6, 19, 0}, "premiumuser2": {20, 16, 0},
			},
			Total: Calls{56, 88, 0},
			Namespaces: map[string]map[string]int64{
				"premiumuser1": {seedNamespace: 83}, "freeuser1": {seedNamespace: 25}, "premiumuser2": {seedNamespace: 36},
			},
		}},
		{"fork_with_user_and_group.txt", "", Tally{
			Users:      map[string]Calls{"premiumuser1": {8, 4, 0}},
			Unlabelled: Calls{2, 0, 0}, Total: Calls{10, 4, 0},
		}},
	} {
		t.Run(test.file+"/"+test.label, func(t *testing.T) {
			got, err := ParseLimiter(page(t, "limitador/"+test.file), test.label)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseLimiterKeepsStrangeNames(t *testing.T) {
	got, err := ParseLimiter(page(t, "limitador/c1_label_value_escapes.txt"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", "a,b={}", `back\slash`, `trailing\`, `quo"te`, "new\nline", "tab\ttab", "nul\x00byte", "ünïcödé-日本-🦀",
		strings.Repeat("u", 256), " lead and trail ",
	} {
		if got.Users[name] != (Calls{1, 0, 1}) {
			t.Errorf("user %q: %+v, want one admitted call of one hit", name, got.Users[name])
		}
	}
}

func TestParseLimiterRefuses(t *testing.T) {
	for name, test := range map[string]struct{ page, want string }{
		"another page":    {"<html>It works</html>", "no limiter's metrics page"},
		"nothing":         {"", "no limiter's metrics page"},
		"a fraction":      {"limitador_up 1\nauthorized_calls 1.5\n", "no count"},
		"a negative":      {"limitador_up 1\nauthorized_calls -1\n", "no count"},
		"NaN":             {"limitador_up 1\nlimited_calls NaN\n", "no count"},
		"infinity":        {"limitador_up 1\nlimited_calls +Inf\n", "no count"},
		"a torn line":     {"limitador_up 1\nauthorized_calls{user=\"a\n", "exposition text"},
		"no number":       {"limitador_up 1\nauthorized_calls many\n", "exposition text"},
		"a fork's excess": {"limitador_up 1\nauthorized_calls 1\nauthorized_calls_with_user_and_group{user=\"a\"} 2\n", "counts more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseLimiter([]byte(test.page), "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// The total is the sum of its parts, however the lines are ordered.
func TestParseLimiterTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type line struct {
			metric, labels string
			n              int
		}
		names := []string{"authorized_calls", "limited_calls", "authorized_hits"}
		labels := []string{"", `{limitador_namespace="a"}`, `{user="u",limitador_namespace="a"}`, `{limitador_namespace="a",user="v"}`, `{user=""}`}
		lines := rapid.SliceOf(rapid.Custom(func(t *rapid.T) line {
			return line{rapid.SampledFrom(names).Draw(t, "metric"), rapid.SampledFrom(labels).Draw(t, "labels"), rapid.IntRange(0, 1000).Draw(t, "n")}
		})).Draw(t, "lines")
		text := "limitador_up 1\n"
		var want Calls
		for _, l := range lines {
			text += l.metric + l.labels + " " + strconv.Itoa(l.n) + "\n"
			switch l.metric {
			case "authorized_calls":
				want.Authorized += int64(l.n)
			case "limited_calls":
				want.Limited += int64(l.n)
			default:
				want.Hits += int64(l.n)
			}
		}
		got, err := ParseLimiter([]byte(text), "")
		if err != nil {
			t.Fatal(err)
		}
		sum := got.Unlabelled
		for _, user := range got.Users {
			sum = sum.plus(user)
		}
		if got.Total != want || sum != want {
			t.Fatalf("total %+v, parts %+v, want %+v", got.Total, sum, want)
		}
	})
}

// Of several limiters one may have counted nothing yet: what the others say of their
// callers, or cannot say, stands.
func TestPlusOfAPageWithoutCalls(t *testing.T) {
	blank := Tally{Users: map[string]Calls{}}
	named := Tally{Users: map[string]Calls{"free": {1, 0, 1}}, Total: Calls{1, 0, 1}}
	nameless := Tally{Unlabelled: Calls{1, 0, 1}, Total: Calls{1, 0, 1}}
	for name, test := range map[string]struct{ a, b, want Tally }{
		"none has counted":            {blank, blank, blank},
		"the first page of all":       {Tally{}, blank, blank},
		"the other names its callers": {blank, named, named},
		"the other names nobody":      {blank, nameless, nameless},
		"one has, one has not": {named, nameless, Tally{
			Users: named.Users, Unlabelled: Calls{1, 0, 1}, Total: Calls{2, 0, 2},
		}},
	} {
		for order, got := range map[string]Tally{"": test.a.Plus(test.b), ", turned round": test.b.Plus(test.a)} {
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s%s (-want +got)\n%s", name, order, diff)
			}
		}
	}
}

func TestParseLimiterWithinNamespaces(t *testing.T) {
	const text = `limitador_up 1
authorized_calls{limitador_namespace="llm-d/ours",user="free"} 2
authorized_hits{limitador_namespace="llm-d/ours",user="free"} 2
limited_calls{limitador_namespace="llm-d/ours",user="free",limit_name="ours"} 1
authorized_calls{limitador_namespace="other/route",user="free"} 5
limited_calls{limitador_namespace="other/route",limit_name="theirs"} 7
authorized_calls{user="nowhere"} 1
`
	namespaces := map[string]map[string]int64{"free": {"llm-d/ours": 3, "other/route": 5}}
	for name, test := range map[string]struct {
		scopes []string
		want   Tally
	}{
		"all": {nil, Tally{
			Users:      map[string]Calls{"free": {7, 1, 2}, "nowhere": {1, 0, 0}},
			Unlabelled: Calls{0, 7, 0}, Total: Calls{8, 8, 2}, Namespaces: namespaces,
			Refusals: map[string]map[string]int64{"free": {"ours": 1}, "": {"theirs": 7}},
		}},
		"the policy's": {[]string{"llm-d/ours", "llm-d/unused"}, Tally{
			Users: map[string]Calls{"free": {2, 1, 2}, "nowhere": {1, 0, 0}},
			Total: Calls{3, 1, 2}, Namespaces: namespaces,
			Refusals: map[string]map[string]int64{"free": {"ours": 1}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseLimiter([]byte(text), "", test.scopes...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
