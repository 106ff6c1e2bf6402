package main

import (
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
	"github.com/floodgate-dev/floodgate/fixtures/standin/gateway"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/standin/llmd"
)

// described is a named fault and what a caller would notice of it.
type described struct{ name, about string }

// describedFaults are the named faults of every stand-in, and those on the way to
// Prometheus.
func describedFaults() map[string][]described {
	all := map[string][]described{}
	for _, fault := range limitador.Faults() {
		all["limitador"] = append(all["limitador"], described{fault.Name, fault.About})
	}
	for _, fault := range authorino.Faults() {
		all["authorino"] = append(all["authorino"], described{fault.Name, fault.About})
	}
	for _, fault := range gateway.Faults() {
		all["gateway"] = append(all["gateway"], described{fault.Name, fault.About})
	}
	for _, fault := range llmd.Faults() {
		all["llmd"] = append(all["llmd"], described{fault.Name, fault.About})
	}
	for _, fault := range local.PrometheusFaults() {
		all[prometheusComponent] = append(all[prometheusComponent], described{fault.Name, fault.About})
	}
	return all
}

// componentFaults are the names alone.
func componentFaults() map[string][]string {
	all := map[string][]string{}
	for component, faults := range describedFaults() {
		for _, fault := range faults {
			all[component] = append(all[component], fault.name)
		}
	}
	return all
}

// componentManners are the named manners of every stand-in: ways to be unusual
// and right.
func componentManners() map[string][]string {
	all := map[string][]string{}
	for _, manner := range limitador.Manners() {
		all["limitador"] = append(all["limitador"], manner.Name)
	}
	for _, manner := range authorino.Manners() {
		all["authorino"] = append(all["authorino"], manner.Name)
	}
	for _, manner := range gateway.Manners() {
		all["gateway"] = append(all["gateway"], manner.Name)
	}
	for _, manner := range llmd.Manners() {
		all["llmd"] = append(all["llmd"], manner.Name)
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
