package main

import (
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
)

// componentFaults are the named faults of every stand-in.
func componentFaults() map[string][]string {
	all := map[string][]string{}
	for _, fault := range limitador.Faults() {
		all["limitador"] = append(all["limitador"], fault.Name)
	}
	for _, fault := range authorino.Faults() {
		all["authorino"] = append(all["authorino"], fault.Name)
	}
	for _, fault := range gateway.Faults() {
		all["gateway"] = append(all["gateway"], fault.Name)
	}
	for _, fault := range llmd.Faults() {
		all["llmd"] = append(all["llmd"], fault.Name)
	}
	for _, fault := range local.PrometheusFaults() {
		all[prometheusComponent] = append(all[prometheusComponent], fault.Name)
	}
	return all
}

// prometheusComponent is no stand-in: its faults are mistakes in what it is told
// to scrape.
const prometheusComponent = "prometheus"

func faultsOf(component string) ([]string, bool) {
	names, ok := componentFaults()[component]
	return names, ok
}
