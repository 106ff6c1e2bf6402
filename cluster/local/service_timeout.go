package local

import "github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"

// serviceTimeout is how long the gateways' filters wait for a service. The
// operator's own 100 ms (limits, which then fail open) and 200 ms (keys, which
// then fail closed) are over on a busy machine before a correct service has had
// its turn; Kuadrant's test suite raises them to the same (cases.md G6).
const serviceTimeout = "1000ms"

// patient is a configuration whose services all have serviceTimeout.
func patient(config wasmconfig.Config) wasmconfig.Config {
	services := make(map[string]wasmconfig.Service, len(config.Services))
	for name, service := range config.Services {
		service.Timeout = serviceTimeout
		services[name] = service
	}
	config.Services = services
	return config
}
