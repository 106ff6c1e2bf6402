package crew

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const (
	// lookEvery is how often pods are looked at that are to come or to go.
	lookEvery = 250 * time.Millisecond
	// gonePatience bounds how long the pods may take to be gone.
	gonePatience = time.Minute
)

// Pool are the workers of a Job, each behind a loopback address.
type Pool struct {
	// URLs are the workers' base URLs by completion index.
	URLs []string
	// Nodes are the nodes that they were scheduled to, by completion index.
	Nodes []string

	cluster  *kube.Cluster
	options  JobOptions
	forwards []*kube.Forward
	// made says that the Job is this pool's.
	made bool
}

// StartJob starts an Indexed Job of workers and returns once all of them are
// ready. It leaves nothing behind where it fails, and says what the cluster says
// of the pods that do not get ready.
func StartJob(ctx context.Context, cluster *kube.Cluster, options JobOptions) (*Pool, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{cluster: cluster, options: options}
	if err := p.start(ctx); err != nil {
		err = fmt.Errorf("start %d workers as Job %s/%s: %w", options.Workers, options.Namespace, options.name(), err)
		return nil, errors.Join(err, p.Stop(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func (p *Pool) start(ctx context.Context) error {
	o, jobs := p.options, p.cluster.Client.BatchV1().Jobs(p.options.Namespace)
	job, err := jobs.Create(ctx, o.job(), metav1.CreateOptions{FieldManager: kube.FieldManager})
	// A Job that was there before is another run's.
	p.made = !apierrors.IsAlreadyExists(err)
	if err != nil {
		return err
	}
	_, err = p.cluster.Client.CoreV1().Secrets(o.Namespace).Create(ctx, o.secret(job), metav1.CreateOptions{FieldManager: kube.FieldManager})
	if err != nil {
		return err
	}
	begin := []byte(`{"spec":{"suspend":false}}`)
	if _, err := jobs.Patch(ctx, o.name(), types.MergePatchType, begin, metav1.PatchOptions{FieldManager: kube.FieldManager}); err != nil {
		return err
	}
	if err := p.ready(ctx); err != nil {
		return err
	}
	for i := range o.Workers {
		selector := fmt.Sprintf("%s,%s=%d", p.selector(), indexLabel, i)
		forward, err := p.cluster.Forward(ctx, p.cluster.ReadyPod(o.Namespace, selector), port)
		if err != nil {
			return err
		}
		p.forwards = append(p.forwards, forward)
		p.URLs = append(p.URLs, "http://"+forward.Addr())
	}
	return nil
}

func (p *Pool) selector() string { return jobLabel + "=" + p.options.name() }

// ready waits until each index has a pod that is.
func (p *Pool) ready(ctx context.Context) error {
	waiting, cancel := context.WithTimeoutCause(ctx, p.options.Patience, fmt.Errorf("not all ready after %v", p.options.Patience))
	defer cancel()
	var failed error
	err := kube.Until(waiting, lookEvery, func(ctx context.Context) error {
		job, err := p.cluster.Client.BatchV1().Jobs(p.options.Namespace).Get(ctx, p.options.name(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if failed = failure(job); failed != nil {
			return nil //nolint:nilerr // it ends the wait: failed says why
		}
		pods, err := p.cluster.Pods(ctx, p.options.Namespace, p.selector())
		if err != nil {
			return err
		}
		p.Nodes = make([]string, p.options.Workers)
		var missing []string
		for i := range p.Nodes {
			at := slices.IndexFunc(pods, func(pod corev1.Pod) bool {
				return pod.Labels[indexLabel] == strconv.Itoa(i) && kube.Ready(&pod)
			})
			if at < 0 {
				missing = append(missing, strconv.Itoa(i))
				continue
			}
			p.Nodes[i] = pods[at].Spec.NodeName
		}
		if len(missing) > 0 {
			return fmt.Errorf("no ready pod of index %s", strings.Join(missing, ", "))
		}
		return nil
	})
	if err = errors.Join(err, failed); err == nil {
		return nil
	}
	troubles, asked := p.cluster.Troubles(context.WithoutCancel(ctx), p.options.Namespace, p.selector())
	for _, trouble := range troubles {
		err = fmt.Errorf("%w; %v", err, trouble)
	}
	return errors.Join(err, asked)
}

// failure is why a Job has failed, nil if it has not.
func failure(job *batchv1.Job) error {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobFailed || c.Type == batchv1.JobFailureTarget) && c.Status == corev1.ConditionTrue {
			return fmt.Errorf("the Job has failed: %s: %s", c.Reason, c.Message)
		}
	}
	return nil
}

// Stop ends the workers and returns once their pods, the Job and its Secret are
// gone. It may be called more than once.
func (p *Pool) Stop(ctx context.Context) error {
	var wrong []error
	for _, forward := range p.forwards {
		wrong = append(wrong, forward.Close())
	}
	p.forwards = nil
	if !p.made {
		return errors.Join(wrong...)
	}
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	wrong = append(
		wrong,
		missing(p.cluster.Client.BatchV1().Jobs(p.options.Namespace).Delete(ctx, p.options.name(), options)),
		missing(p.cluster.Client.CoreV1().Secrets(p.options.Namespace).Delete(ctx, p.options.name(), metav1.DeleteOptions{})),
	)
	ctx, cancel := context.WithTimeoutCause(ctx, gonePatience, fmt.Errorf("not gone after %v", gonePatience))
	defer cancel()
	wrong = append(wrong, kube.Until(ctx, lookEvery, p.gone))
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("end the workers of Job %s/%s: %w", p.options.Namespace, p.options.name(), err)
	}
	return nil
}

// gone is nil once there is no pod and no Job, those that are ending included.
func (p *Pool) gone(ctx context.Context) error {
	pods, err := p.cluster.Client.CoreV1().Pods(p.options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: p.selector()})
	if err != nil {
		return err
	}
	if len(pods.Items) > 0 {
		return fmt.Errorf("%d pods are still there, the first is %s", len(pods.Items), pods.Items[0].Name)
	}
	_, err = p.cluster.Client.BatchV1().Jobs(p.options.Namespace).Get(ctx, p.options.name(), metav1.GetOptions{})
	if err == nil {
		return errors.New("the Job is still there")
	}
	return missing(err)
}

func missing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
