// Package local brings a system under test up on loopback: one process a
// component, real binaries where they are given, stand-ins where not.
//
// Model server, journal and Prometheus are shared; every variant of the policy
// has a limiter, an authorizer and a gateway of its own. What a cluster's
// operator would write for them (limits file, filter configuration,
// AuthConfigs, Secrets) lies in a private folder outside the run's, because it
// holds keys; Down removes it. It is what the operator writes but for one thing:
// the gateways wait 1000 ms for the limiter and the authorizer, where the operator
// sets 100 and 200 ms, so that a busy machine makes no correct stack fail.
package local
