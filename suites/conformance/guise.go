package conformance

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// padding makes a body longer than the buffers of those who look at it, and means
// nothing in JSON.
const padding = 64 << 10

// longHeader is a header longer than a small buffer for headers, and much shorter
// than the 60 KiB that Envoy takes.
const longHeader = 12 << 10

// guises are forms of the policy's request that somebody between client and model
// could take for one that is not to be limited: with a query, with a body that is
// long or comes in pieces, with headers of proxies, browsers and probes. Those that
// the policy itself spares are left out.
func guises(ctx SpecContext, bed *harness.Bed, who tier.Identity) []attack.Attack {
	GinkgoHelper()
	request := bed.Set().Request()
	query := "?floodgate=1"
	if strings.Contains(request.Path, "?") {
		query = "&floodgate=1"
	}
	forms := []attack.Attack{{Target: attack.Target{Path: request.Path + query}}}
	if request.ContentType != "" {
		long := bytes.Join([][]byte{bed.Bodies(ctx)[0], bytes.Repeat([]byte{' '}, padding)}, nil)
		forms = append(forms,
			attack.Attack{Target: attack.Target{Bodies: [][]byte{long}}},
			attack.Attack{Target: attack.Target{HoldEnd: time.Millisecond}},
			attack.Attack{Target: attack.Target{ContentType: "text/plain"}},
		)
	}
	for _, header := range []http.Header{
		{"X-Forwarded-For": {"127.0.0.1"}},
		{"X-Real-Ip": {"127.0.0.1"}},
		{"Forwarded": {"for=127.0.0.1"}},
		{"X-Envoy-Internal": {"true"}},
		{"X-Original-Url": {"/health"}},
		{"X-Http-Method-Override": {http.MethodGet}},
		{"User-Agent": {"kube-probe/1.34"}},
		{"Accept": {"text/event-stream"}},
		{"Cache-Control": {"no-cache"}},
		{"Expect": {"100-continue"}},
		{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
		{"Origin": {"https://floodgate.example"}},
		{"Cookie": {"floodgate=1"}},
		{"X-Forwarded-Host": {"localhost"}},
		{"Content-Encoding": {"identity"}},
		{"Range": {"bytes=0-1"}},
		{"Te": {"trailers"}},
		{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}},
		{"X-Padding": {strings.Repeat("p", longHeader)}},
		// Twice: the second is one that somebody may take for counted.
		{"X-Request-Id": {"3f2a6f0e-6f1c-4a57-9a31-0e0f5a1d7c55"}},
		{"X-Request-Id": {"3f2a6f0e-6f1c-4a57-9a31-0e0f5a1d7c55"}},
	} {
		// Upgrades are of HTTP/1.1 alone.
		forms = append(forms, attack.Attack{Header: header, NoKeepAlive: header["Upgrade"] != nil})
	}
	return slices.DeleteFunc(forms, func(form attack.Attack) bool { return spared(bed, who, form) })
}

// spared tells whether the policy itself puts fewer limits on a form, or counts it
// for itself.
func spared(bed *harness.Bed, who tier.Identity, form attack.Attack) bool {
	request := bed.Set().Request()
	request.Headers = maps.Clone(request.Headers)
	if request.Headers == nil {
		request.Headers = map[string]string{}
	}
	for name, values := range form.Header {
		request.Headers[name] = values[0]
	}
	if form.Target.Path != "" {
		request.Path = form.Target.Path
	}
	if form.Target.ContentType != "" {
		request.ContentType = form.Target.ContentType
	}
	if form.Target.Host != "" {
		request.Host = form.Target.Host
	}
	if limits, routed := bed.LimitsFor(who, request); routed && len(limits) < len(who.Limits) {
		return true
	}
	alike, err := bed.Set().CountedAlike(who, request)
	return err == nil && !alike
}
