package conformance

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A spent quota", Label("rule:no-bypass"), func() {
	It("is not escaped by another spelling of the path or the host, or another form of the request", Serial, harness.On(harness.Policy), harness.On(harness.Hostname), Case("I16"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		forms := append(asLimited(bed, alice, spellings(bed.Set().Request().Path)), guises(ctx, bed, alice)...)
		all := spentInEveryForm(ctx, bed, alice, forms)

		named := bed.On(harness.Hostname)
		carol := named.Enroll(ctx, named.Smallest().Name)
		request := named.Set().Request()
		spelled := asLimited(named, carol, append(spellings(request.Path), hosts(request.Host)...))
		all = append(all, spentInEveryForm(ctx, named, carol, spelled)...)
		if len(all) == 0 {
			bed.NotJudged("the policy itself spares every other form of the request, or counts it for itself")
		}
		Expect(all).To(Hold())
	})
})

// spentInEveryForm spends a caller's quota in the usual form, then fires in the
// others, and once more in the usual one.
func spentInEveryForm(ctx SpecContext, bed *harness.Bed, who tier.Identity, forms []attack.Attack) harness.Judgement {
	GinkgoHelper()
	if len(forms) == 0 {
		return nil
	}
	bed.Fire(ctx, pastQuota(who, 1))
	var hits harness.Hits
	for _, form := range append(forms, attack.Attack{}) {
		form.As, form.Hits, form.Pacer = who, 1, attack.OneAtATime
		hits = hits.And(bed.Fire(ctx, form))
	}
	return bed.JudgeAbout(ctx, who, hits, oracle.Want{}, oracle.NoBypass)
}

// asLimited are the attacks in those forms that the policy does not itself spare: one
// that limits a path only as it is written says so.
func asLimited(bed *harness.Bed, who tier.Identity, forms []attack.Target) []attack.Attack {
	var limited []attack.Attack
	for _, form := range forms {
		if one := (attack.Attack{Target: form}); !spared(bed, who, one) {
			limited = append(limited, one)
		}
	}
	return limited
}

// spellings are other ways to write a path that somebody between client and
// model may take for the same (cases.md I16).
func spellings(path string) []attack.Target {
	path, query, hasQuery := strings.Cut(path, "?")
	parent, name := path[:strings.LastIndex(path, "/")], path[strings.LastIndex(path, "/")+1:]
	if name == "" {
		return nil
	}
	encoded := fmt.Sprintf("%%%02x%s", name[0], name[1:])
	var forms []attack.Target
	for _, form := range []string{
		"/" + path, path + "/", parent + "//" + name, parent + "%2F" + name, parent + "/" + encoded,
		path + ";x", parent + "/./" + name, path + "/../" + name, parent + "/" + strings.ToUpper(name), path + "/.",
	} {
		if hasQuery {
			form += "?" + query
		}
		forms = append(forms, attack.Target{Path: form})
	}
	return forms
}

// hosts are other ways to name a host.
func hosts(host string) []attack.Target {
	upper := strings.ToUpper(host)
	return []attack.Target{
		{Host: upper},
		{Host: strings.ToUpper(host[:1]) + host[1:]},
		{Host: host + ":80"},
		{Host: upper + ":80"},
		{Host: host + "."},
		{Host: host, AbsoluteForm: true},
		{Host: upper, AbsoluteForm: true},
	}
}
