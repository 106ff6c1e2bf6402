package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster/kubernetes"
	"github.com/floodgate-dev/floodgate/reports"
)

// defaultGapBudget is twice the longest gap that was measured: 15 s after a
// restart of the operator, 17 s after a limiter's pod went away (vectors of the
// cluster, timeline).
const defaultGapBudget = 30 * time.Second

// readReadiness takes up what the provider wrote of how the policies came into
// force, if it did. A gap above its budget is a warning and decides no verdict:
// no case had begun.
func (j *chronicle) readReadiness() {
	variants, err := readinessOf(j.plan.dir)
	if err != nil {
		j.warn("how the policies came into force: %v", err)
		return
	}
	for i := range variants {
		v := &variants[i]
		v.Budget = j.plan.gapBudget.Seconds()
		if v.Late() {
			j.warn("variant %s: the first 429 was seen %s after its policy said Enforced, more than the %s allowed (--gap-budget): until then callers may have passed without a limit; no case had begun",
				v.Variant, v.GapText(), j.plan.gapBudget)
		}
	}
	j.record.Readiness = variants
}

// readinessOf reads a run folder's readiness, the user's policy first.
func readinessOf(dir string) ([]reports.Readiness, error) {
	path := filepath.Join(dir, kubernetes.ReadinessFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var byVariant map[string]reports.Readiness
	if err := json.Unmarshal(content, &byVariant); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var all []reports.Readiness
	for name, variant := range byVariant {
		variant.Variant = name
		all = append(all, variant)
	}
	slices.SortFunc(all, func(a, b reports.Readiness) int {
		if a.Variant == reports.MainVariant || b.Variant == reports.MainVariant {
			return strings.Compare(fmt.Sprint(b.Variant == reports.MainVariant), fmt.Sprint(a.Variant == reports.MainVariant))
		}
		return strings.Compare(a.Variant, b.Variant)
	})
	return all, nil
}
