package crew

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

func options() JobOptions {
	return JobOptions{Namespace: "crew-test", Image: "floodgate.dev/pod:test", Workers: 3, Run: "20261122T210000Z", Token: "t0ken"}
}

func TestAJobHasEachWorkerOnceAndEndsByItself(t *testing.T) {
	o, err := options().withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	job := o.job()
	spec, pod := job.Spec, job.Spec.Template.Spec
	for name, holds := range map[string]bool{
		"indexed":                   *spec.CompletionMode == batchv1.IndexedCompletion,
		"three at once":             *spec.Parallelism == 3 && *spec.Completions == 3,
		"nobody is replaced":        *spec.BackoffLimit == 0 && *spec.PodReplacementPolicy == batchv1.Failed && pod.RestartPolicy == "Never",
		"bounded":                   *spec.ActiveDeadlineSeconds == int64(DefaultDeadline/time.Second) && spec.TTLSecondsAfterFinished != nil,
		"waits for its Secret":      *spec.Suspend,
		"not root":                  *pod.SecurityContext.RunAsNonRoot && pod.SecurityContext.RunAsUser == nil,
		"no rights":                 !*pod.AutomountServiceAccountToken && !*pod.Containers[0].SecurityContext.AllowPrivilegeEscalation,
		"spread over nodes":         pod.TopologySpreadConstraints[0].TopologyKey == "kubernetes.io/hostname",
		"the spread is of its pods": pod.TopologySpreadConstraints[0].LabelSelector.MatchLabels[runLabel] == spec.Template.Labels[runLabel],
		"ours":                      job.Labels["app.kubernetes.io/managed-by"] == "floodgate",
	} {
		if !holds {
			t.Errorf("the Job is not: %s", name)
		}
	}
	text, err := json.Marshal(job)
	if err != nil || strings.Contains(string(text), o.Token) {
		t.Errorf("the Job holds the token, or cannot be encoded: %v", err)
	}
	secret := o.secret(job)
	if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].Name != job.Name || secret.StringData[tokenKey] != o.Token {
		t.Errorf("the Secret is not the Job's")
	}
}

func TestNamesOfRunsBecomeNamesOfObjects(t *testing.T) {
	for run, want := range map[string]string{
		"20261122T210000Z":          "floodgate-crew-20261122t210000z",
		"a_b/c":                     "floodgate-crew-a-b-c",
		"-x-":                       "floodgate-crew-x",
		strings.Repeat("long-", 30): "floodgate-crew-" + strings.TrimSuffix(strings.Repeat("long-", 8), "-"),
	} {
		o := options()
		o.Run = run
		if got := o.name(); got != want || len(validation.IsDNS1123Label(got)) > 0 {
			t.Errorf("run %q: Job %q, want %q", run, got, want)
		}
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	_, err := JobOptions{Workers: 65}.withDefaults()
	for _, want := range []string{"namespace", "image", "token", "65 workers", "run"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}
