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

// checkRequest is what the gateway's filter would ask about a request of the
// policy for an AuthConfig's host (sut.md 4). Without an identity it carries
// no credential.
func checkRequest(host string, call policy.Request, identity *tier.Identity) *authv3.CheckRequest {
	path := call.Path
	headers := map[string]string{}
	for name, value := range call.Headers {
		headers[strings.ToLower(name)] = value
	}
	if identity != nil {
		key, credential := identity.Key.Reveal(), identity.Credential
		switch credential.Place {
		case tier.AuthorizationHeader:
			headers["authorization"] = strings.TrimPrefix(credential.Name+" "+key, " ")
		case tier.CustomHeader:
			headers[strings.ToLower(credential.Name)] = key
		case tier.QueryString:
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			// Authorino compares the value as it stands; a key that needs
			// escaping could not be used at all.
			path += separator + url.QueryEscape(credential.Name) + "=" + key
		case tier.Cookie:
			headers["cookie"] = credential.Name + "=" + key
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
