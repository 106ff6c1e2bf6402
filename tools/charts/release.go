package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
)

// install installs the chart, or upgrades its release. Hooks are waited for,
// nothing else is. What the chart sets is set, whoever set it since: operators
// write into objects of their charts, and plans patch after charts.
func (h *helm) install(ctx context.Context) error {
	loaded, err := h.load(ctx)
	if err != nil {
		return err
	}
	c, err := h.configuration()
	if err != nil {
		return err
	}
	patience := left(ctx)
	last, everDeployed, err := h.mend(c, patience)
	if err != nil {
		return err
	}
	if everDeployed {
		upgrade := action.NewUpgrade(c)
		upgrade.Namespace, upgrade.Timeout, upgrade.WaitStrategy, upgrade.ForceConflicts = h.chart.Namespace, patience, kube.HookOnlyStrategy, true
		upgrade.ServerSideApply, upgrade.ResetValues, upgrade.MaxHistory = "true", true, historyLength
		upgrade.PostRenderer = h.images.renderer()
		_, err = upgrade.RunWithContext(ctx, h.chart.Release, loaded, h.chart.Values)
		return why(ctx, err)
	}
	install := action.NewInstall(c)
	install.ReleaseName, install.Namespace, install.CreateNamespace = h.chart.Release, h.chart.Namespace, true
	install.PostRenderer = h.images.renderer()
	install.Timeout, install.WaitStrategy, install.ForceConflicts = patience, kube.HookOnlyStrategy, true
	// What failed or was cut off before is installed again rather than upgraded:
	// an upgrade leaves out CRDs and the hooks of an installation.
	install.Replace = last != nil
	_, err = install.RunWithContext(ctx, loaded, h.chart.Values)
	return why(ctx, err)
}

const historyLength = 5

// left is how long Helm may wait, a little less than we do: its own message says
// more than ours.
func left(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return defaultPatience
	}
	return max(time.Until(deadline)*9/10, time.Second)
}

func why(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// mend finds the last revision of the release, nil for none, and whether any was
// ever deployed. A revision that a kill has left pending is marked as failed,
// since Helm otherwise refuses to touch it; an uninstallation that was cut off is
// ended.
func (h *helm) mend(c *action.Configuration, patience time.Duration) (*release.Release, bool, error) {
	found, err := c.Releases.History(h.chart.Release)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for release %s/%s: %w", h.chart.Namespace, h.chart.Release, err)
	}
	var last *release.Release
	deployed := false
	for _, one := range found {
		revision, ok := one.(*release.Release)
		if !ok {
			return nil, false, fmt.Errorf("release %s/%s is of a kind that Helm does not install: %T", h.chart.Namespace, h.chart.Release, one)
		}
		if last == nil || revision.Version > last.Version {
			last = revision
		}
		deployed = deployed || revision.Info.Status == common.StatusDeployed || revision.Info.Status == common.StatusSuperseded
	}
	switch {
	case last == nil:
	case last.Info.Status == common.StatusUninstalling:
		if err := h.removeRelease(c, patience); err != nil {
			return nil, false, fmt.Errorf("end the uninstallation that was cut off: %w", err)
		}
		return nil, false, nil
	case last.Info.Status == common.StatusUninstalled:
		return last, false, nil
	case last.Info.Status.IsPending(), last.Info.Status == common.StatusUnknown:
		last.SetStatus(common.StatusFailed, "cut off while "+last.Info.Status.String())
		if err := c.Releases.Update(last); err != nil {
			return nil, false, fmt.Errorf("mark release %s/%s, which was cut off, as failed: %w", h.chart.Namespace, h.chart.Release, err)
		}
	}
	return last, deployed, nil
}

// uninstall removes the release and does not wait for its objects' end.
func (h *helm) uninstall(ctx context.Context) error {
	c, err := h.configuration()
	if err != nil {
		return err
	}
	type ended struct{ err error }
	done := make(chan ended, 1)
	go func() { done <- ended{h.removeRelease(c, left(ctx))} }()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case e := <-done:
		return e.err
	}
}

func (h *helm) removeRelease(c *action.Configuration, patience time.Duration) error {
	// Helm's own way to ignore a release that is missing ignores every error.
	if _, err := c.Releases.History(h.chart.Release); errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look for release %s/%s: %w", h.chart.Namespace, h.chart.Release, err)
	}
	uninstall := action.NewUninstall(c)
	uninstall.IgnoreNotFound, uninstall.Timeout, uninstall.WaitStrategy = true, patience, kube.HookOnlyStrategy
	_, err := uninstall.Run(h.chart.Release)
	return err
}
