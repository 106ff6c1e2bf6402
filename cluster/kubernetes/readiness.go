package kubernetes

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

const (
	// ReadinessFile is the file of the run's folder that holds Readiness by
	// variant.
	ReadinessFile = "readiness.json"

	// denialPatience is how long a Gateway may stay open after all else is ready:
	// 17 s were measured after a limiter's pod was deleted.
	denialPatience = time.Minute
	// mostQuota bounds the quota that is spent to see a denial.
	mostQuota = 60
	// probePause is between rounds of hits that saw no denial.
	probePause = 500 * time.Millisecond
	// probeTimeout bounds one hit.
	probeTimeout = 10 * time.Second
	// sideBySide is how many variants are waited for at once.
	sideBySide = 4
	// modelsLimit bounds the list of models, which comes from the system under
	// test.
	modelsLimit = 1 << 20
)

// Readiness is when the evidence came that a variant is in force. What was not
// seen is zero, with a reason. It judges nothing.
type Readiness struct {
	// Began is when the wait began: for a variant of our making, after its objects
	// were put into the cluster.
	Began time.Time `json:"began"`
	// Programmed is when every listener was; Accepted and Enforced when every rate
	// limit's object said so of what it says now; Limits when every limiter showed
	// exactly the policy's limits.
	Programmed time.Time `json:"programmed,omitzero"`
	Accepted   time.Time `json:"accepted,omitzero"`
	Enforced   time.Time `json:"enforced,omitzero"`
	Limits     time.Time `json:"limits,omitzero"`
	// Refused is when a caller without a key was first turned away, FirstDenied
	// when an identity's hit was first answered with 429, and Hits how many hits
	// were fired to see it.
	Refused     time.Time `json:"refused,omitzero"`
	FirstDenied time.Time `json:"firstDenied,omitzero"`
	Hits        int       `json:"hits"`
	// Gap is from Enforced to FirstDenied, in seconds: above 0, the Gateway was or
	// may have been open although the policy said that it was in force.
	Gap *float64 `json:"gapSeconds,omitempty"`
	// Unseen says why something was not seen, by its name here.
	Unseen map[string]string `json:"unseen,omitempty"`
}

// awaitReadiness waits for every variant and writes when each was ready.
func (s *System) awaitReadiness(ctx context.Context) error {
	all := map[string]*Readiness{}
	var mu sync.Mutex
	group, grouped := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for name, v := range s.up.Variants {
		group.Go(func() error {
			r := &Readiness{Began: time.Now(), Unseen: map[string]string{}}
			mu.Lock()
			all[name] = r
			mu.Unlock()
			if err := s.ready(grouped, v, r); err != nil {
				return &cluster.StartError{
					Component: component(gatewayName, name), Waiting: "evidence that the policy is in force", Cause: err,
					Next: "look at the status of its policies and at the operator's log",
				}
			}
			s.progress.line("variant %-16s in force after %.1f s%s", name, time.Since(r.Began).Seconds(), r.gapText())
			return nil
		})
	}
	err := group.Wait()
	text, encoding := json.MarshalIndent(all, "", "  ")
	if encoding == nil && s.state.RunDir != "" {
		encoding = os.WriteFile(filepath.Join(s.state.RunDir, ReadinessFile), append(text, '\n'), 0o644)
	}
	return errors.Join(err, encoding)
}

func (r *Readiness) gapText() string {
	if r.Gap == nil {
		return ""
	}
	return fmt.Sprintf(", first 429 %+.1f s after Enforced", *r.Gap)
}

// ready waits for one variant, in the order in which each thing is evidence for
// more than the one before.
func (s *System) ready(ctx context.Context, v cluster.Variant, r *Readiness) error {
	set, err := s.set(v)
	if err != nil {
		return err
	}
	namespace, name, err := s.gatewayOf(v)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, gatewayPatience, fmt.Errorf("not so after %s", gatewayPatience))
	defer cancel()
	if err := kube.Until(bounded, pollInterval, func(ctx context.Context) error {
		return kube.ListenerProgrammed(namespace, name)(ctx, s.cluster)
	}); err != nil {
		return fmt.Errorf("listeners of Gateway %s/%s: %w", namespace, name, err)
	}
	r.Programmed = time.Now()
	limited := len(set.LimitadorLimits()) > 0
	if limited {
		if err := s.objectsReady(bounded, v, r); err != nil {
			return err
		}
	}
	if err := s.limitsReady(bounded, v, set, r); err != nil {
		return err
	}
	return s.answersReady(ctx, v, set, r)
}

func (s *System) objectsReady(ctx context.Context, v cluster.Variant, r *Readiness) error {
	err := kube.Until(ctx, 5*probe.Interval, func(ctx context.Context) error {
		state, err := s.PolicyState(ctx, v.Name)
		if err != nil {
			return err
		}
		if state.Current && state.Accepted && r.Accepted.IsZero() {
			r.Accepted = time.Now()
		}
		if state.Current && state.Enforced {
			r.Enforced = time.Now()
			return nil
		}
		return fmt.Errorf("its policies are not enforced: %s", strings.Join(state.Reasons, "; "))
	})
	if err != nil {
		return fmt.Errorf("policies of variant %s: %w", v.Name, err)
	}
	return nil
}

func (s *System) limitsReady(ctx context.Context, v cluster.Variant, set *policy.Set, r *Readiness) error {
	if len(v.Limiters) == 0 {
		r.Unseen["limits"] = "no limiter's HTTP API can be reached"
		return nil
	}
	err := kube.Until(ctx, 5*probe.Interval, func(ctx context.Context) error {
		return s.limitsEverywhere(ctx, v, set, nil)
	})
	if err != nil {
		return fmt.Errorf("limits of variant %s: %w", v.Name, err)
	}
	r.Limits = time.Now()
	return nil
}

// answersReady fires hits at the gateway until it answers as the policy says.
func (s *System) answersReady(ctx context.Context, v cluster.Variant, set *policy.Set, r *Readiness) error {
	bounded, cancel := context.WithTimeoutCause(ctx, denialPatience, fmt.Errorf("not so after %s", denialPatience))
	defer cancel()
	hitter := &hitter{gateway: v.Gateway, request: set.Request(), model: s.model(bounded, v)}
	if len(set.AuthConfigs()) > 0 {
		err := kube.Until(bounded, probePause, func(ctx context.Context) error {
			status, err := hitter.hit(ctx, nil)
			if err == nil && status != http.StatusUnauthorized && status != http.StatusForbidden {
				err = fmt.Errorf("a caller without a key is answered %d", status)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("gateway of variant %s at %s: %w", v.Name, v.Gateway, err)
		}
		r.Refused = time.Now()
	}
	identity, secret, why := s.throwAway(set)
	if why != "" {
		r.Unseen["firstDenied"] = why
		return nil
	}
	if err := s.Issue(bounded, v.Name, identity, secret); err != nil {
		return err
	}
	err := kube.Until(bounded, probePause, func(ctx context.Context) error {
		last := 0
		for range identity.Quota() + 5 {
			status, err := hitter.hit(ctx, &identity)
			r.Hits++
			if err != nil {
				return err
			}
			if last = status; status == http.StatusTooManyRequests {
				r.FirstDenied = time.Now()
				return nil
			}
		}
		return fmt.Errorf("%d hits in a row of an identity with a quota of %d were not denied, the last was answered %d", identity.Quota()+5, identity.Quota(), last)
	})
	if err != nil {
		return fmt.Errorf("gateway of variant %s at %s: %w", v.Name, v.Gateway, err)
	}
	if !r.Enforced.IsZero() {
		gap := r.FirstDenied.Sub(r.Enforced).Seconds()
		r.Gap = &gap
	}
	return s.DeleteSecret(ctx, v.Name, secret)
}

// throwAway is an identity of the smallest tier whose quota can be spent; why
// says that there is none.
func (s *System) throwAway(set *policy.Set) (identity tier.Identity, secret []byte, why string) {
	if err := s.Lacks((*cluster.IdentityIssuer)(nil)); err != nil {
		return identity, nil, "no identity could be issued for it: " + err.Error()
	}
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		return identity, nil, err.Error()
	}
	populated := map[string]bool{}
	for _, known := range set.Identities() {
		populated[known.Tier] = true
	}
	for _, t := range set.Tiers() {
		binding, ok := tier.Binding(t.Limits)
		if !ok || !populated[t.Name] || binding.Quota > mostQuota {
			continue
		}
		identity, secret, err := set.Mint(t.Name, "readiness-"+hex.EncodeToString(random[:3]), tier.Key("fg_"+hex.EncodeToString(random)))
		if err == nil {
			return identity, secret, ""
		}
		why = err.Error()
	}
	if why == "" {
		why = fmt.Sprintf("no tier with callers has a quota of at most %d hits", mostQuota)
	}
	return identity, nil, why
}

// model is a name that the model server serves, or the simulator's usual one.
func (s *System) model(ctx context.Context, v cluster.Variant) string {
	const fallback = "random"
	if v.Backend == "" {
		return fallback
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.Backend+"/v1/models", nil)
	if err != nil {
		return fallback
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: probeTimeout}
	answer, err := client.Do(request)
	if err != nil {
		return fallback
	}
	defer func() { _ = answer.Body.Close() }()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, modelsLimit)).Decode(&list); err != nil || len(list.Data) == 0 {
		return fallback
	}
	return list.Data[0].ID
}

// hitter fires single requests of a policy at a gateway, outside of every
// ledger.
type hitter struct {
	gateway string
	request policy.Request
	model   string
}

// hit returns the status of the answer.
func (h *hitter) hit(ctx context.Context, who *tier.Identity) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	body := map[string]any{"model": h.model, "max_tokens": 1, "prompt": "Ready?"}
	if strings.Contains(h.request.Path, "/chat/") {
		delete(body, "prompt")
		body["messages"] = []map[string]string{{"role": "user", "content": "Ready?"}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	path := h.request.Path
	if who != nil && who.Credential.Place == tier.QueryString {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + url.QueryEscape(who.Credential.Name) + "=" + url.QueryEscape(who.Key.Reveal())
	}
	request, err := http.NewRequestWithContext(ctx, h.request.Method, h.gateway+path, strings.NewReader(string(text)))
	if err != nil {
		return 0, errors.New("the policy's request cannot be sent")
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range h.request.Headers {
		request.Header.Set(name, value)
	}
	if h.request.Host != "" {
		request.Host = h.request.Host
	}
	if who != nil {
		switch key := who.Key.Reveal(); who.Credential.Place {
		case tier.AuthorizationHeader:
			request.Header.Set("Authorization", strings.TrimPrefix(who.Credential.Name+" "+key, " "))
		case tier.CustomHeader:
			request.Header.Set(who.Credential.Name, key)
		case tier.Cookie:
			request.AddCookie(&http.Cookie{Name: who.Credential.Name, Value: key})
		case tier.QueryString:
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		// The address can hold the key.
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return 0, fmt.Errorf("no answer of %s: %w", h.gateway, err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, modelsLimit))
	return answer.StatusCode, answer.Body.Close()
}
