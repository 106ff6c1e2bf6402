package kuadrant

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

const istioNamespace = "istio-system"

func (p *planning) istioBase() install.Step {
	return install.Step{
		Name: istioBase, About: "Istio's custom resources",
		Charts: []install.Chart{p.istioChart(istioBase, "istio-base")},
		Ready: []install.Condition{
			install.CRDEstablished("destinationrules.networking.istio.io"),
			install.CRDEstablished("envoyfilters.networking.istio.io"),
			install.CRDEstablished("wasmplugins.extensions.istio.io"),
		},
		Patience: 3 * time.Minute,
		Collect:  []install.Scope{{Namespace: istioNamespace}},
	}
}

// istiod is ready when it has made its GatewayClass and taken it: a Gateway of a
// class that nobody has taken waits for ever.
func (p *planning) istiod() install.Step {
	return install.Step{
		Name: istiod, About: "Istio's control plane, which runs the gateways",
		Charts: []install.Chart{p.istioChart(istiod, "istiod")},
		Ready: []install.Condition{
			install.DeploymentAvailable(istioNamespace, "istiod"),
			install.StatusCondition(object(classKind, "", "istio", nil), "Accepted", "True"),
		},
		Patience: 5 * time.Minute,
		Collect:  []install.Scope{{Namespace: istioNamespace, Selector: "app=istiod"}},
	}
}

func (p *planning) istioChart(part, release string) install.Chart {
	chart := p.chart(part, release, istioNamespace)
	if p.OpenShift {
		chart = p.with(chart, "openshift", "global", "platform")
	}
	if part == istiod && p.Small {
		// 500m unless said otherwise (vectors of the cluster, deviations).
		chart = p.with(chart, smallCPU, "pilot", "resources", "requests", "cpu")
	}
	return chart
}

// prometheus runs the operator stack, named as the demo's port-forward expects
// (sut.md 1.1). On OpenShift the platform's own is used.
func (p *planning) prometheus() install.Step {
	namespace := p.at.monitoring
	return install.Step{
		Name: prometheus, About: "Prometheus and its operator",
		Charts: []install.Chart{p.chart(prometheus, "prometheus", namespace)},
		Ready: []install.Condition{
			install.CRDEstablished("servicemonitors.monitoring.coreos.com"),
			install.CRDEstablished("prometheusrules.monitoring.coreos.com"),
			install.DeploymentAvailable(namespace, "prometheus-kube-prometheus-operator"),
			install.ServiceHasEndpoints(namespace, "prometheus-kube-prometheus-prometheus"),
		},
		Patience: 10 * time.Minute,
		Collect: []install.Scope{
			{Namespace: namespace, Selector: "app=kube-prometheus-stack-operator"},
			{Namespace: namespace, Selector: "app.kubernetes.io/name=prometheus", Kinds: []schema.GroupVersionKind{
				{Group: "monitoring.coreos.com", Version: "v1", Kind: "Prometheus"},
			}},
		},
	}
}
