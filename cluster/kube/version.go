package kube

import (
	"encoding/json"
	"fmt"
)

func versionOf(text []byte) (string, error) {
	var answer struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("the API server's version: %w", err)
	}
	return answer.GitVersion, nil
}
