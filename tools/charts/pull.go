package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// pull writes the chart's archive to a folder as <name>-<version>.tgz and returns
// its path and its digest. A chart's folder is packed.
func (h *helm) pull(ctx context.Context, to string) (string, string, error) {
	if to == "" {
		return "", "", errors.New("the folder to pull to is not given")
	}
	source, err := h.locate(ctx)
	if err != nil {
		return "", "", err
	}
	loaded, err := h.read(source)
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", "", err
	}
	path := filepath.Join(to, loaded.Metadata.Name+"-"+loaded.Metadata.Version+".tgz")
	if info, err := os.Stat(source); err != nil {
		return "", "", err
	} else if info.IsDir() {
		if source, err = chartutil.Save(loaded, h.dir); err != nil {
			return "", "", fmt.Errorf("pack chart %s: %w", loaded.Metadata.Name, err)
		}
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return "", "", err
	}
	return path, fmt.Sprintf("sha256:%x", sha256.Sum256(text)), nil
}
