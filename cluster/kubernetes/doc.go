// Package kubernetes is the system under test on a Kubernetes cluster, however
// it came there: what of it can be reached, and all that can be done to it.
//
// Variants of a policy share the limiter, the authorizer and the model server.
// Each has Gateways, routes and policies of its own, beside those of the user's
// policy (policy.Set.Beside).
//
// Every object that is made or changed is noted in a private folder before, as
// it was, so that Down takes back exactly that, whichever process did it.
package kubernetes
