package kube

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// k8sObject is any object, as the items of a list are handed out.
type k8sObject = runtime.Object

func versionOf(text []byte) (string, error) {
	var answer struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("the API server's version: %w", err)
	}
	return answer.GitVersion, nil
}
