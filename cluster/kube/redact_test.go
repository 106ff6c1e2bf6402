package kube

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestTextWithoutKeys(t *testing.T) {
	r := NewRedactor([]string{"iamafreeuser", "iamafreeuser-too", "x"})
	for text, want := range map[string]string{
		"key iamafreeuser-too used": "key [redacted] used",
		"in base64 " + base64.StdEncoding.EncodeToString([]byte("iamafreeuser")) + ".": "in base64 [redacted].",
		`{"api_key": "abcdefgh", "user": "bob"}`:                                       `{"api_key": "[redacted]", "user": "bob"}`,
		"Authorization: APIKEY abcdefgh":                                               "Authorization: APIKEY [redacted]",
		"sent Bearer abc.def.ghi to it":                                                "sent Bearer [redacted] to it",
		"token=abcdef&x=y":                                                             "token=[redacted]",
		"a token bucket of 5; total_tokens: 12345":                                     "a token bucket of 5; total_tokens: 12345",
		"extra x stays":                                                                "extra x stays",
		"token: [redacted]":                                                            "token: [redacted]",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestObjectWithoutKeys(t *testing.T) {
	objects, err := Decode([]byte(`
apiVersion: v1
kind: Secret
metadata:
  name: bob
  annotations: {kubectl.kubernetes.io/last-applied-configuration: never-1}
  managedFields: [{manager: never-2}]
data: {api_key: never-3, anything: never-4}
stringData: {other: never-5}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  apiToken: never-6
  template:
    spec:
      tolerations: [{key: stays-1, operator: Exists}]
      topologySpreadConstraints: [{topologyKey: stays-2}]
      volumes: [{secret: {secretName: stays-3}}]
      containers:
      - env:
        - {name: API_KEY, value: never-7}
        - {name: LEVEL, value: stays-4}
        - {name: FROM, valueFrom: {secretKeyRef: {name: stays-5, key: stays-6}}}
        args: ["--token=never-8", "--level=stays-7"]
`))
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, object := range objects {
		text, err := (&Redactor{}).YAML(object)
		if err != nil {
			t.Fatal(err)
		}
		all += text
	}
	if strings.Contains(all, "never-") {
		t.Errorf("a key is in\n%s", all)
	}
	for _, stays := range []string{"stays-1", "stays-2", "stays-3", "stays-4", "stays-5", "stays-6", "stays-7"} {
		if !strings.Contains(all, stays) {
			t.Errorf("%s is not in\n%s", stays, all)
		}
	}
	if objects[0].GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"] != "never-1" {
		t.Error("the object itself was changed")
	}
}

func TestTailIsBounded(t *testing.T) {
	long := strings.Repeat("a line\n", 1000) + "the end\n"
	got := tail(long)
	if lines := strings.Split(got, "\n"); len(lines) != tailLines || lines[tailLines-1] != "the end" {
		t.Errorf("%d lines: %q", len(lines), got)
	}
	if got := tail(strings.Repeat("é", 10000)); len(got) > tailBytes || !strings.HasSuffix(got, "é") {
		t.Errorf("a line without an end: %d bytes", len(got))
	}
	if got := printable("\x1b[31mred\x1b[0m\x00 a\u009bb\tc\n"); got != "red ab\tc\n" {
		t.Errorf("control characters: %q", got)
	}
	if got := plain(strings.Repeat("word ", 1000)); len(got) > mostMessage+4 {
		t.Errorf("a message of %d bytes", len(got))
	}
}
