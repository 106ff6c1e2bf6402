package probe

import (
	"net/http"
	"net/url"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// Shown is a request as its caller makes it.
type Shown struct {
	Request policy.Request
	// Credential says where Value travels. Value is all that stands there, a
	// prefix included; "" is no credential at all.
	Credential tier.Credential
	Value      string
}

// ShownBy is a request with an identity's key.
func ShownBy(who tier.Identity, request policy.Request) Shown {
	value := who.Key.Reveal()
	if who.Credential.Place == tier.AuthorizationHeader {
		value = strings.TrimPrefix(who.Credential.Name+" "+value, " ")
	}
	return Shown{request, who.Credential, value}
}

// checkRequest is what the gateway's filter would ask about a request for an
// AuthConfig's host (sut.md 4).
func checkRequest(host string, shown Shown) *authv3.CheckRequest {
	call, path := shown.Request, shown.Request.Path
	headers := map[string]string{}
	for name, value := range call.Headers {
		headers[strings.ToLower(name)] = value
	}
	if credential := shown.Credential; shown.Value != "" {
		switch credential.Place {
		case tier.AuthorizationHeader:
			headers["authorization"] = shown.Value
		case tier.CustomHeader:
			headers[strings.ToLower(credential.Name)] = shown.Value
		case tier.QueryString:
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			// Authorino compares the value as it stands; a key that needs
			// escaping could not be used at all.
			path += separator + url.QueryEscape(credential.Name) + "=" + shown.Value
		case tier.Cookie:
			headers["cookie"] = credential.Name + "=" + shown.Value
		}
	}
	method := call.Method
	if method == "" {
		method = http.MethodPost
	}
	headers[":method"], headers[":path"], headers[":authority"], headers[":scheme"] = method, path, call.Host, "http"
	peer := &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{
		SocketAddress: &corev3.SocketAddress{Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1}},
	}}}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: peer, Destination: peer,
		Request: &authv3.AttributeContext_Request{
			Time: timestamppb.Now(),
			Http: &authv3.AttributeContext_HttpRequest{
				Method: method, Headers: headers, Path: path, Host: call.Host, Scheme: "http", Protocol: "HTTP/1.1",
			},
		},
		ContextExtensions: map[string]string{"host": host},
		MetadataContext:   &corev3.Metadata{},
	}}
}
