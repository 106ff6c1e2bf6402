package operator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ofTheServer are the members that the API server or the record has besides, nothing of
// which is the operator's.
func ofTheServer(at string) bool {
	for _, prefix := range []string{
		"metadata.creationTimestamp", "metadata.generation", "metadata.resourceVersion", "metadata.uid", "metadata.finalizers",
		"metadata.ownerReferences[0].uid", "metadata.annotations.deployment.kubernetes.io/revision",
		"spec.progressDeadlineSeconds", "spec.replicas", "spec.revisionHistoryLimit",
		"spec.template.spec.dnsPolicy", "spec.template.spec.restartPolicy", "spec.template.spec.schedulerName", "spec.template.spec.serviceAccount=",
		"spec.template.spec.containers[0].terminationMessage", "spec.clusterIP=10.", "spec.clusterIPs", "spec.internalTrafficPolicy", "spec.externalTrafficPolicy",
		"spec.ipFamilies", "spec.ipFamilyPolicy=SingleStack", "spec.sessionAffinity", "spec.type=ClusterIP", "spec.allocateLoadBalancerNodePorts",
		"status.loadBalancer", "status.observedGeneration", "spec.template.spec.volumes[0].configMap.defaultMode", "spec.template.spec.containers[0].livenessProbe.successThreshold",
		"spec.template.spec.containers[0].readinessProbe.successThreshold", "spec.template.spec.containers[0].startupProbe.successThreshold",
	} {
		if strings.HasPrefix(at, prefix) {
			return true
		}
	}
	return strings.Contains(at, "nodePort=") || strings.Contains(at, "lastTransitionTime=") || at == "spec.template.spec.securityContext={}"
}

// leaves are an object's members as lines, such as spec.type=ClusterIP.
func leaves(value any, at string) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		for member, inner := range v {
			path := member
			if at != "" {
				path = at + "." + member
			}
			all = append(all, leaves(inner, path)...)
		}
		if len(v) == 0 {
			all = append(all, at+"={}")
		}
	case []any:
		for i, inner := range v {
			// The order of conditions says nothing.
			key := fmt.Sprint(i)
			if condition, ok := inner.(map[string]any); ok && strings.HasSuffix(at, "conditions") {
				key = text(condition, key, "type")
			}
			all = append(all, leaves(inner, at+"["+key+"]")...)
		}
	default:
		all = append(all, fmt.Sprintf("%s=%v", at, v))
	}
	return all
}

// lines are those of an object that say something, in order.
func lines(o *unstructured.Unstructured) []string {
	if o.GetKind() == deployments.kind {
		// That of a Deployment is Kubernetes' own.
		o = o.DeepCopy()
		delete(o.Object, "status")
	}
	all := slices.DeleteFunc(leaves(o.Object, ""), ofTheServer)
	slices.Sort(all)
	return all
}

// different are the lines of one object alone: "-" of the recorded, "+" of ours.
func different(recorded, made *unstructured.Unstructured) []string {
	was, is := lines(recorded), lines(made)
	var found []string
	for _, line := range was {
		if !slices.Contains(is, line) {
			found = append(found, "-"+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			found = append(found, "+"+line)
		}
	}
	return found
}

// standInMark is on everything.
const standInMark = "+metadata.labels." + standInLabel + "=true"

// deliberate are the differences that are meant, by object: what a line must
// begin with.
func deliberate() map[string][]string {
	locked := []string{
		"+spec.template.metadata.labels." + standInLabel + "=true", "-spec.template.spec.containers[0].image=", "+spec.template.spec.containers[0].image=",
		"-spec.template.spec.containers[0].args", "+spec.template.spec.containers[0].command", "-spec.template.spec.containers[0].command",
		"+spec.template.spec.containers[0].resources.requests", "-spec.template.spec.containers[0].resources", "+spec.template.spec.containers[0].securityContext",
	}
	with := func(more ...string) []string { return append(slices.Clone(locked), more...) }
	return map[string][]string{
		"Deployment kuadrant-system/limitador-limitador": {
			"+spec.template.metadata.labels." + standInLabel + "=true", "-spec.template.spec.containers[0].image=", "+spec.template.spec.containers[0].image=",
			"-spec.template.spec.containers[0].command[0]=limitador-server",
			"+spec.template.spec.containers[0].command[0]=/floodgate-pod", "+spec.template.spec.containers[0].command[1]=limitador",
			"-spec.template.spec.containers[0].livenessProbe.initialDelaySeconds=5", "+spec.template.spec.containers[0].livenessProbe.initialDelaySeconds=1",
			"-spec.template.spec.containers[0].livenessProbe.timeoutSeconds=2", "+spec.template.spec.containers[0].livenessProbe.timeoutSeconds=5",
			"-spec.template.spec.containers[0].readinessProbe.initialDelaySeconds=5", "+spec.template.spec.containers[0].readinessProbe.initialDelaySeconds=1",
			"-spec.template.spec.containers[0].readinessProbe.periodSeconds=10", "+spec.template.spec.containers[0].readinessProbe.periodSeconds=1",
			"-spec.template.spec.containers[0].resources", "+spec.template.spec.containers[0].resources", "+spec.template.spec.containers[0].securityContext",
		},
		"Deployment kuadrant-system/authorino": with("+spec.template.spec.containers[0].env", "+spec.template.spec.containers[0].readinessProbe",
			"+spec.template.spec.containers[0].volumeMounts", "+spec.template.spec.volumes"),
		// Its agent, certificates and settings are Istio's own; the name and numbers
		// of its port and its probes are not.
		"Deployment llm-d/infra-sim-inference-gateway-istio": with("+spec.template.spec.containers[0].args",
			"-spec.template.spec.containers[0].env", "-spec.template.spec.containers[0].volumeMounts", "-spec.template.spec.volumes", "-spec.template.spec.containers[0].imagePullPolicy=Never",
			"+spec.template.spec.containers[0].imagePullPolicy=IfNotPresent", "-spec.template.spec.containers[0].securityContext.runAs",
			"-spec.template.spec.containers[0].ports", "+spec.template.spec.containers[0].ports",
			"-spec.template.spec.containers[0].readinessProbe", "+spec.template.spec.containers[0].readinessProbe",
			"-spec.template.spec.containers[0].startupProbe.timeoutSeconds", "+spec.template.spec.containers[0].startupProbe.timeoutSeconds"),
		// The filter is a part of the gateway's stand-in: no program is loaded. Its
		// configuration is compared apart.
		"EnvoyFilter llm-d/kuadrant-infra-sim-inference-gateway": {
			"-spec.configPatches[0].patch.value.typed_config.value.config.vm_config", "-spec.configPatches[1].",
			"-spec.configPatches[0].patch.value.typed_config.value.config.configuration.value=", "+spec.configPatches[0].patch.value.typed_config.value.config.configuration.value=",
		},
		// These are what users write; their labels are none of ours.
		theKuadrant: {"-spec.observability"},
		theGateway:  {"-status.listeners[0].supportedKinds[1]"},
		theAuth:     {}, theLimits: {}, theRoute: {},
		// The real operators fill defaults in.
		"Limitador kuadrant-system/limitador": {"-spec.limits", "+spec.limits"},
		"Authorino kuadrant-system/authorino": {
			"-spec.healthz={}", "-spec.imagePullPolicy", "-spec.listener.ports={}", "-spec.metrics={}", "-spec.tracing", "-spec.volumes={}",
		},
		"ConfigMap kuadrant-system/limitador-limits-config-limitador": {"-data.limitador-config.yaml=", "+data.limitador-config.yaml="},
		// Authorino writes the status of an AuthConfig; its stand-in does not.
		"AuthConfig kuadrant-system/47087d805191e891b9cb35fd1ed66f2c62c05dd2d4500c092fd23999ff914747": {"-status."},
	}
}

func TestObjectsAreAsRecorded(t *testing.T) {
	w, all := demo(t)
	excused := deliberate()
	for called, real := range all {
		for _, line := range different(real, w.named(called)) {
			if line == standInMark || slices.ContainsFunc(excused[called], func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
				continue
			}
			t.Errorf("%s: %s", called, line)
		}
	}
}

// The arguments of the limiter are the recorded ones, in their order.
func TestLimiterArguments(t *testing.T) {
	w, all := demo(t)
	const limiter = "Deployment kuadrant-system/limitador-limitador"
	arguments := func(o *unstructured.Unstructured) string { return fmt.Sprint(container(o)["args"]) }
	if got, want := arguments(w.named(limiter)), arguments(all[limiter]); got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
	cr := w.named("Limitador kuadrant-system/limitador").DeepCopy()
	spec, _ := cr.Object["spec"].(map[string]any)
	spec["verbosity"], spec["rateLimitHeaders"], spec["replicas"], spec["image"] = int64(3), "DRAFT_VERSION_03", int64(2), "quay.io/kuadrant/limitador:v2.4.0"
	w.put(cr)
	w.settle()
	made := w.named(limiter)
	want := "[--rate-limit-headers DRAFT_VERSION_03 -vvv --http-port 8080 --rls-port 8081 --metric-labels-default descriptors[1] /home/limitador/etc/limitador-config.yaml memory]"
	if got := arguments(made); got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
	if got := number(made.Object, "spec", "replicas"); got != 2 {
		t.Errorf("%d replicas, want 2", got)
	}
	if got := made.GetAnnotations()[imageAnnotation]; got != "quay.io/kuadrant/limitador:v2.4.0" {
		t.Errorf("the image that was asked for is noted as %q", got)
	}
}

// configurationOf is a filter's configuration, the timeouts left out.
func configurationOf(t *testing.T, filter *unstructured.Unstructured) any {
	t.Helper()
	patch := list(filter.Object, "spec", "configPatches")[0]
	content := text(patch, "", "patch", "value", "typed_config", "value", "config", "configuration", "value")
	var config map[string]any
	if err := json.Unmarshal([]byte(content), &config); err != nil {
		t.Fatal(err)
	}
	services, _ := config["services"].(map[string]any)
	for _, item := range services {
		service, _ := item.(map[string]any)
		delete(service, "timeout")
	}
	return config
}

func TestFilterConfigurationIsAsRecorded(t *testing.T) {
	w, all := demo(t)
	const filter = "EnvoyFilter llm-d/kuadrant-infra-sim-inference-gateway"
	got, want := leaves(configurationOf(t, w.named(filter)), ""), leaves(configurationOf(t, all[filter]), "")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("configuration\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The limits are the recorded ones; their order is not fixed (sut.md 3.1).
func TestLimitsAreAsRecorded(t *testing.T) {
	w, all := demo(t)
	const limits = "ConfigMap kuadrant-system/limitador-limits-config-limitador"
	entries := func(o *unstructured.Unstructured) []string {
		parts := strings.Split("\n"+text(o.Object, "", "data", limitsKey), "\n- ")
		for i := range parts {
			parts[i] = strings.TrimRight(parts[i], "\n")
		}
		slices.Sort(parts)
		return parts
	}
	if got, want := entries(w.named(limits)), entries(all[limits]); !slices.Equal(got, want) {
		t.Errorf("limits\n%q\nwant\n%q", got, want)
	}
}
