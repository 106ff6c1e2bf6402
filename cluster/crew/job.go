// Package crew runs attack workers as the pods of a Kubernetes Indexed Job. What
// a worker does is the business of its program; here it is started, reached and
// removed.
package crew

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// MaxWorkers bounds the pods of a Job.
	MaxWorkers = 64
	// DefaultDeadline bounds how long a Job runs whose run was killed, and
	// DefaultPatience how long its pods may take to be ready.
	DefaultDeadline = 2 * time.Hour
	DefaultPatience = 2 * time.Minute
	// port is where a worker listens.
	port = 8765
	// envToken is the variable by which a worker is told its token.
	envToken = "FLOODGATE_WORKER_TOKEN"
	tokenKey = "token"
	// The label and the pods' label of the Job controller, and ours.
	jobLabel   = batchv1.JobNameLabel
	indexLabel = batchv1.JobCompletionIndexAnnotation
	runLabel   = "floodgate.dev/run"
	// tidyAfter is how many seconds after its end a Job deletes itself, its Secret
	// with it.
	tidyAfter = 60
)

// JobOptions are what workers are started with.
type JobOptions struct {
	// Namespace is where they run; it must be there.
	Namespace string
	// Image is the image of our pods. Command replaces its entry point where that
	// is not floodgate-pod; nil leaves it.
	Image   string
	Command []string
	// Workers is how many.
	Workers int
	// Run names the run that they belong to.
	Run string
	// Token is what they will know their coordinator by. It is kept in a Secret as
	// long as they run.
	Token string
	// Deadline is DefaultDeadline, and Patience DefaultPatience, unless said
	// otherwise.
	Deadline, Patience time.Duration
}

var labelRune = regexp.MustCompile(`[^a-z0-9-]+`)

func (o JobOptions) withDefaults() (JobOptions, error) {
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	var wrong []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	refuse(o.Namespace == "", "no namespace for the workers")
	refuse(o.Image == "", "no image for the workers")
	refuse(o.Token == "", "no token for the workers")
	refuse(o.Workers < 1 || o.Workers > MaxWorkers, "%d workers: want 1 to %d", o.Workers, MaxWorkers)
	refuse(o.Run == "", "no run for the workers to belong to")
	refuse(o.Deadline < time.Second, "deadline %v of the workers: want a second or more", o.Deadline)
	return o, errors.Join(wrong...)
}

// name is the Job's and the Secret's.
func (o JobOptions) name() string {
	run := strings.Trim(labelRune.ReplaceAllString(strings.ToLower(o.Run), "-"), "-")
	return "floodgate-crew-" + strings.TrimRight(run[:min(len(run), 40)], "-")
}

func (o JobOptions) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: o.Namespace, Name: o.name(), Labels: o.labels()}
}

func (o JobOptions) labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/managed-by": "floodgate", "app.kubernetes.io/component": "crew",
		runLabel: strings.TrimPrefix(o.name(), "floodgate-crew-"),
	}
}

// secret holds the token. It is the Job's, and goes when that goes.
func (o JobOptions) secret(job *batchv1.Job) *corev1.Secret {
	meta := o.meta()
	meta.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))}
	return &corev1.Secret{ObjectMeta: meta, Type: corev1.SecretTypeOpaque, StringData: map[string]string{tokenKey: o.Token}}
}

// job is suspended, until the Secret is there that its pods need. A worker that
// fails is not replaced: another one would not know the shares that it had.
func (o JobOptions) job() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: o.meta(),
		Spec: batchv1.JobSpec{
			Suspend:                 new(true),
			CompletionMode:          new(batchv1.IndexedCompletion),
			Completions:             new(int32(o.Workers)),
			Parallelism:             new(int32(o.Workers)),
			BackoffLimit:            new(int32(0)),
			PodReplacementPolicy:    new(batchv1.Failed),
			ActiveDeadlineSeconds:   new(int64(o.Deadline / time.Second)),
			TTLSecondsAfterFinished: new(int32(tidyAfter)),
			Template:                corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: o.labels()}, Spec: o.pod()},
		},
	}
}

// pod asks for nothing that OpenShift's restricted security context
// constraint refuses: no user of its own, no privilege, no volume.
func (o JobOptions) pod() corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(5)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   new(true),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector: &metav1.LabelSelector{MatchLabels: o.labels()},
		}},
		Containers: []corev1.Container{{
			Name: "worker", Image: o.Image, ImagePullPolicy: corev1.PullIfNotPresent,
			Command: o.Command, Args: []string{"worker", "--listen", fmt.Sprintf(":%d", port)},
			Ports: []corev1.ContainerPort{{Name: "control", ContainerPort: port}},
			Env: []corev1.EnvVar{{Name: envToken, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: o.name()}, Key: tokenKey,
			}}}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("20m"), corev1.ResourceMemory: resource.MustParse("32Mi"),
			}},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(port)}},
				PeriodSeconds: 1,
			},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
}
