package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// pullPatience is how long an image may be refused before it is taken for
	// one that cannot be pulled, crashLimit how often a container may crash.
	pullPatience = 20 * time.Second
	crashLimit   = 3
)

// Trouble is a reason why something in a cluster does not serve.
type Trouble struct {
	// Object is what has it: "Pod llm-d/ms-sim-5d4".
	Object string
	// Reason is Kubernetes' own word, such as ImagePullBackOff.
	Reason  string
	Message string
	// Log is the end of the container's log, without keys.
	Log string
	// Terminal says that waiting is not expected to help.
	Terminal bool
	// Created is when the object was made.
	Created time.Time
	// Look is a command that shows more, to be pasted into a shell.
	Look string
}

func (t Trouble) String() string {
	return fmt.Sprintf("%s: %s: %s", t.Object, t.Reason, t.Message)
}

// Troubles are the reasons why pods of a namespace with the labels of a
// selector are not ready, why there are fewer than their owner wants, and why
// Jobs failed; those that end a wait come first.
func (c *Cluster) Troubles(ctx context.Context, namespace, selector string) ([]Trouble, error) {
	wanted, err := labels.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", selector, err)
	}
	pods, err := c.Client.CoreV1().Pods(namespace).List(ctx, listOptions(selector))
	if err != nil {
		return nil, fmt.Errorf("list pods of %s: %w", namespace, err)
	}
	warnings, err := c.warnings(ctx, namespace)
	if err != nil {
		return nil, err
	}
	d := &diagnosis{cluster: c, warnings: warnings, now: time.Now()}
	for i := range pods.Items {
		d.pod(ctx, &pods.Items[i])
	}
	if err := d.owners(ctx, namespace, wanted); err != nil {
		return nil, err
	}
	if err := d.jobs(ctx, namespace, wanted, pods.Items); err != nil {
		return nil, err
	}
	slices.SortStableFunc(d.found, func(a, b Trouble) int {
		if a.Terminal != b.Terminal {
			if a.Terminal {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Object, b.Object)
	})
	return d.found, nil
}

// diagnosis is one look at a namespace.
type diagnosis struct {
	cluster  *Cluster
	warnings map[string][]corev1.Event
	now      time.Time
	keys     *Redactor
	found    []Trouble
}

// warnings are a namespace's warning events by the object that they are about,
// the latest first.
func (c *Cluster) warnings(ctx context.Context, namespace string) (map[string][]corev1.Event, error) {
	list, err := c.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil {
		return nil, fmt.Errorf("list events of %s: %w", namespace, err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return seenAt(&b).Compare(seenAt(&a)) })
	byObject := map[string][]corev1.Event{}
	for _, event := range list.Items {
		id := string(event.InvolvedObject.UID)
		byObject[id] = append(byObject[id], event)
	}
	return byObject, nil
}

// seenAt is when an event was seen last: which of its times is set depends on
// who wrote it.
func seenAt(event *corev1.Event) time.Time {
	switch {
	case event.Series != nil:
		return event.Series.LastObservedTime.Time
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp.Time
	case !event.EventTime.IsZero():
		return event.EventTime.Time
	}
	return event.CreationTimestamp.Time
}

// warning is the latest warning about an object with one of the reasons, "" if
// there is none.
func (d *diagnosis) warning(uid string, reasons ...string) (reason, message string) {
	for _, event := range d.warnings[uid] {
		if slices.Contains(reasons, event.Reason) {
			return event.Reason, plain(event.Message)
		}
	}
	return "", ""
}

func (d *diagnosis) add(kind string, object metav1.Object, t Trouble) {
	t.Object = fmt.Sprintf("%s %s/%s", kind, object.GetNamespace(), object.GetName())
	t.Message = plain(t.Message)
	t.Created = object.GetCreationTimestamp().Time
	t.Look = fmt.Sprintf("kubectl --namespace %s describe %s %s", object.GetNamespace(), strings.ToLower(kind), object.GetName())
	d.found = append(d.found, t)
}

func (d *diagnosis) pod(ctx context.Context, pod *corev1.Pod) {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || Ready(pod) {
		return
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			d.claims(ctx, pod)
			d.add("Pod", pod, Trouble{Reason: condition.Reason, Message: condition.Message})
			return
		}
	}
	before := len(d.found)
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		d.container(ctx, pod, status)
	}
	if len(d.found) == before && pod.Status.Phase == corev1.PodFailed {
		d.add("Pod", pod, Trouble{Reason: cmp.Or(pod.Status.Reason, "Failed"), Message: pod.Status.Message})
	}
}

// claims says which of a pod's volume claims are not bound, and why.
func (d *diagnosis) claims(ctx context.Context, pod *corev1.Pod) {
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		name := volume.PersistentVolumeClaim.ClaimName
		claim, err := d.cluster.Client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || claim.Status.Phase == corev1.ClaimBound {
			continue
		}
		_, message := d.warning(string(claim.UID), "ProvisioningFailed", "FailedBinding")
		class := "the default storage class"
		if claim.Spec.StorageClassName != nil && *claim.Spec.StorageClassName != "" {
			class = "storage class " + *claim.Spec.StorageClassName
		}
		d.add("PersistentVolumeClaim", claim, Trouble{
			Reason:  "Unbound",
			Message: cmp.Or(message, fmt.Sprintf("it is %s; no volume of %s has come", claim.Status.Phase, class)),
		})
	}
}

func (d *diagnosis) container(ctx context.Context, pod *corev1.Pod, status corev1.ContainerStatus) {
	who := "container " + status.Name
	uid := string(pod.UID)
	switch state := status.State; {
	case state.Waiting != nil:
		d.waiting(ctx, pod, status)
	case state.Terminated != nil && state.Terminated.ExitCode != 0:
		d.add("Pod", pod, Trouble{
			Reason: cmp.Or(state.Terminated.Reason, "Error"), Message: who + " ended " + ending(state.Terminated),
			Log: d.log(ctx, pod, status.Name, false),
		})
	case state.Running != nil && !status.Ready && slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == status.Name }):
		_, message := d.warning(uid, "Unhealthy", "ProbeWarning")
		if status.LastTerminationState.Terminated != nil {
			message = strings.TrimPrefix(message+fmt.Sprintf("; it was restarted %d times, the last one ended %s",
				status.RestartCount, ending(status.LastTerminationState.Terminated)), "; ")
		}
		d.add("Pod", pod, Trouble{
			Reason: "NotReady", Message: who + " runs and is not ready: " + cmp.Or(message, "its probe has not answered yet"),
			Log: d.log(ctx, pod, status.Name, false),
		})
	}
}

// waiting says why a container does not start.
func (d *diagnosis) waiting(ctx context.Context, pod *corev1.Pod, status corev1.ContainerStatus) {
	who := "container " + status.Name
	t := Trouble{Reason: status.State.Waiting.Reason, Message: who + ": " + status.State.Waiting.Message}
	switch t.Reason {
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
		t.Message = fmt.Sprintf("%s: image %s cannot be pulled: %s", who, status.Image, status.State.Waiting.Message)
		if _, why := d.warning(string(pod.UID), "Failed"); !strings.Contains(t.Message, "failed to") && strings.Contains(why, status.Image) {
			t.Message += ": " + why
		}
		t.Terminal = d.now.Sub(scheduledAt(pod)) > pullPatience
	case "InvalidImageName", "ErrImageNeverPull":
		t.Message = fmt.Sprintf("%s: image %q: %s", who, status.Image, status.State.Waiting.Message)
		t.Terminal = true
	case "CrashLoopBackOff":
		t.Message = fmt.Sprintf("%s crashed %d times", who, status.RestartCount)
		if last := status.LastTerminationState.Terminated; last != nil {
			t.Message += ", the last time it ended " + ending(last)
		}
		t.Terminal = status.RestartCount >= crashLimit
		if t.Log = d.log(ctx, pod, status.Name, true); t.Log == "" {
			t.Log = d.log(ctx, pod, status.Name, false)
		}
	case "ContainerCreating", "PodInitializing", "":
		reason, message := d.warning(string(pod.UID), "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")
		if reason == "" {
			return
		}
		t.Reason, t.Message = reason, who+" is not started: "+message
	}
	d.add("Pod", pod, t)
}

// ending is how a container ended, in words.
func ending(t *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("with exit code %d", t.ExitCode)
	if t.Signal != 0 {
		text = fmt.Sprintf("by signal %d", t.Signal)
	}
	if t.Reason != "" && t.Reason != "Error" {
		text += " (" + t.Reason + ")"
	}
	if t.Message != "" {
		text += ": " + plain(t.Message)
	}
	return text
}

func scheduledAt(pod *corev1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	return pod.CreationTimestamp.Time
}

func (d *diagnosis) log(ctx context.Context, pod *corev1.Pod, container string, previous bool) string {
	if d.keys == nil {
		d.keys = d.cluster.RedactorOf(ctx, pod.Namespace)
	}
	return d.cluster.LogTail(ctx, pod, container, previous, d.keys)
}

// owners says why what makes pods does not get them made: the API server
// refuses them.
func (d *diagnosis) owners(ctx context.Context, namespace string, wanted labels.Selector) error {
	apps := d.cluster.Client.AppsV1()
	sets, err := apps.ReplicaSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list replica sets of %s: %w", namespace, err)
	}
	for i := range sets.Items {
		set := &sets.Items[i]
		if set.Spec.Replicas != nil && *set.Spec.Replicas == 0 || !wanted.Matches(labels.Set(set.Spec.Template.Labels)) {
			continue
		}
		for _, condition := range set.Status.Conditions {
			if condition.Type == "ReplicaFailure" && condition.Status == corev1.ConditionTrue {
				d.add("ReplicaSet", set, Trouble{Reason: condition.Reason, Message: condition.Message, Terminal: refused(condition.Message)})
			}
		}
	}
	stateful, err := apps.StatefulSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list stateful sets of %s: %w", namespace, err)
	}
	for i := range stateful.Items {
		set := &stateful.Items[i]
		if wanted.Matches(labels.Set(set.Spec.Template.Labels)) && (set.Spec.Replicas == nil || set.Status.Replicas < *set.Spec.Replicas) {
			d.notMade("StatefulSet", set)
		}
	}
	daemons, err := apps.DaemonSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list daemon sets of %s: %w", namespace, err)
	}
	for i := range daemons.Items {
		set := &daemons.Items[i]
		if wanted.Matches(labels.Set(set.Spec.Template.Labels)) && set.Status.CurrentNumberScheduled < set.Status.DesiredNumberScheduled {
			d.notMade("DaemonSet", set)
		}
	}
	return nil
}

func (d *diagnosis) notMade(kind string, object metav1.Object) {
	if reason, message := d.warning(string(object.GetUID()), "FailedCreate"); reason != "" {
		d.add(kind, object, Trouble{Reason: reason, Message: message, Terminal: refused(message)})
	}
}

// refused tells whether a pod was refused by admission, and not by a quota or
// for want of what may still come.
func refused(message string) bool {
	return slices.ContainsFunc([]string{
		"violates PodSecurity", "denied the request", "unable to validate against any security context constraint",
	}, func(part string) bool { return strings.Contains(message, part) })
}

// jobs says which Jobs failed, with the log of their last pod.
func (d *diagnosis) jobs(ctx context.Context, namespace string, wanted labels.Selector, pods []corev1.Pod) error {
	list, err := d.cluster.Client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list jobs of %s: %w", namespace, err)
	}
	for i := range list.Items {
		job := &list.Items[i]
		if !wanted.Matches(labels.Set(job.Spec.Template.Labels)) {
			continue
		}
		failed := slices.IndexFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue
		})
		if failed < 0 {
			if job.Status.Active == 0 && job.Status.Succeeded == 0 {
				d.notMade("Job", job)
			}
			continue
		}
		condition := job.Status.Conditions[failed]
		t := Trouble{Reason: "JobFailed", Message: condition.Reason + ": " + condition.Message, Terminal: true}
		var last *corev1.Pod
		for j := range pods {
			if metav1.IsControlledBy(&pods[j], job) && (last == nil || last.CreationTimestamp.Before(&pods[j].CreationTimestamp)) {
				last = &pods[j]
			}
		}
		if last != nil && len(last.Spec.Containers) > 0 {
			t.Log = d.log(ctx, last, last.Spec.Containers[0].Name, false)
		}
		d.add("Job", job, t)
	}
	return nil
}
