package install

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// DeploymentAvailable waits for the end of a Deployment's rollout, see
// kube.DeploymentAvailable.
func DeploymentAvailable(namespace, name string) Condition {
	return Condition{fmt.Sprintf("Deployment %s/%s is available", namespace, name), kube.DeploymentAvailable(namespace, name)}
}

// JobComplete waits for a Job.
func JobComplete(namespace, name string) Condition {
	return Condition{fmt.Sprintf("Job %s/%s has completed", namespace, name), kube.JobComplete(namespace, name)}
}

// CRDEstablished waits until the API server serves a custom resource.
func CRDEstablished(name string) Condition {
	return Condition{fmt.Sprintf("CustomResourceDefinition %s is established", name), kube.CRDEstablished(name)}
}

// Exists waits for an object that something else makes.
func Exists(object *unstructured.Unstructured) Condition {
	return Condition{kube.Name(object) + " exists", kube.Exists(object)}
}

// StatusCondition waits for a condition of an object's status.
func StatusCondition(object *unstructured.Unstructured, kind, status string) Condition {
	return Condition{fmt.Sprintf("%s has %s=%s", kube.Name(object), kind, status), kube.StatusCondition(object, kind, status)}
}

// ListenerProgrammed waits for all listeners of a Gateway.
func ListenerProgrammed(namespace, name string) Condition {
	return Condition{fmt.Sprintf("the listeners of Gateway %s/%s are programmed", namespace, name), kube.ListenerProgrammed(namespace, name)}
}

// PolicyEnforced waits until a policy is Enforced as it is now. It is no proof,
// see kube.PolicyEnforced.
func PolicyEnforced(object *unstructured.Unstructured) Condition {
	return Condition{kube.Name(object) + " is enforced", kube.PolicyEnforced(object)}
}

// ServiceHasEndpoints waits for a ready pod behind a Service.
func ServiceHasEndpoints(namespace, name string) Condition {
	return Condition{fmt.Sprintf("Service %s/%s has ready endpoints", namespace, name), kube.ServiceHasEndpoints(namespace, name)}
}
