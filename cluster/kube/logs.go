package kube

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// tailBytes and tailLines bound the end of a log that is shown.
	tailBytes = 4 << 10
	tailLines = 12
	// tailRead bounds what is read for it, mostLog what is kept in a file.
	tailRead = 256 << 10
	mostLog  = 8 << 20
)

// LogTail is the end of a container's log as it may be shown. previous asks for
// the container that ended before the present one. What cannot be read is "".
func (c *Cluster) LogTail(ctx context.Context, pod *corev1.Pod, container string, previous bool, keys *Redactor) string {
	lines := int64(4 * tailLines)
	raw, err := c.log(ctx, pod, &corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &lines}, tailRead)
	if err != nil {
		return ""
	}
	return tail(keys.Text(printable(raw)))
}

// tail is the end of a text, in whole lines where there are any.
func tail(text string) string {
	text = strings.TrimSpace(text)
	cut := max(0, len(text)-tailBytes)
	lines := strings.Split(strings.ToValidUTF8(text[cut:], ""), "\n")
	if cut > 0 && len(lines) > 1 {
		lines = lines[1:]
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// logSince is a container's log since a time; the zero time means all.
func (c *Cluster) logSince(ctx context.Context, pod *corev1.Pod, container string, previous bool, since time.Time) (string, error) {
	options := &corev1.PodLogOptions{Container: container, Previous: previous, Timestamps: true}
	if !since.IsZero() {
		from := metav1.NewTime(since)
		options.SinceTime = &from
	}
	return c.log(ctx, pod, options, mostLog)
}

// log reads the last bytes of a log.
func (c *Cluster) log(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions, most int) (string, error) {
	stream, err := c.Client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
	if err != nil {
		return "", fmt.Errorf("log of %s/%s container %s: %w", pod.Namespace, pod.Name, options.Container, err)
	}
	defer stream.Close()
	var kept []byte
	block := make([]byte, 32<<10)
	for {
		n, err := stream.Read(block)
		kept = append(kept, block[:n]...)
		if len(kept) > 2*most {
			kept = append(kept[:0], kept[len(kept)-most:]...)
		}
		if err == io.EOF {
			return string(kept[max(0, len(kept)-most):]), nil
		}
		if err != nil {
			return string(kept), fmt.Errorf("log of %s/%s container %s: %w", pod.Namespace, pod.Name, options.Container, err)
		}
	}
}
