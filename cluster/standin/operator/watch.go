package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// limiterSelector finds the limiter's pods (vectors of the cluster).
const limiterSelector = "app=limitador"

// watched are all objects as the API server last showed them.
type watched struct {
	stores  map[resource]cache.Store
	changed chan struct{}
}

// watch returns once everything that is there has been seen. Of the kinds that
// others use too, only what the stand-in made is watched.
func watch(ctx context.Context, client dynamic.Interface) (*watched, error) {
	w := &watched{stores: map[resource]cache.Store{}, changed: make(chan struct{}, 1)}
	var synced []cache.InformerSynced
	follow := func(selector string, kinds ...resource) error {
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, "", func(o *metav1.ListOptions) { o.LabelSelector = selector })
		for _, r := range kinds {
			informer := factory.ForResource(r.GroupVersionResource).Informer()
			if err := informer.SetTransform(light); err != nil {
				return fmt.Errorf("watch %s: %w", r.Resource, err)
			}
			if _, err := informer.AddEventHandler(w); err != nil {
				return fmt.Errorf("watch %s: %w", r.Resource, err)
			}
			w.stores[r] = informer.GetStore()
			synced = append(synced, informer.HasSynced)
		}
		factory.Start(ctx.Done())
		return nil
	}
	for selector, kinds := range map[string][]resource{
		"": causes(), standInLabel + "=true": made(), limiterSelector: {pods},
	} {
		if err := follow(selector, kinds...); err != nil {
			return nil, err
		}
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil, fmt.Errorf("watch the cluster: %w", context.Cause(ctx))
	}
	return w, nil
}

// light leaves out what nobody here reads.
func light(o any) (any, error) {
	if object, ok := o.(*unstructured.Unstructured); ok {
		object.SetManagedFields(nil)
	}
	return o, nil
}

// OnAdd, OnUpdate and OnDelete say that something has changed.
func (w *watched) OnAdd(any, bool)   { w.wake() }
func (w *watched) OnUpdate(_, _ any) { w.wake() }
func (w *watched) OnDelete(any)      { w.wake() }

func (w *watched) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// wait returns when something has changed and others had time to, or after
// atMost; false says that ctx has ended.
func (w *watched) wait(ctx context.Context, atMost time.Duration) bool {
	late := time.NewTimer(atMost)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-late.C:
		return true
	case <-w.changed:
	}
	gathered := time.NewTimer(gathering)
	defer gathered.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-gathered.C:
		// What has come meanwhile is seen by the next pass.
		select {
		case <-w.changed:
		default:
		}
		return true
	}
}

func (w *watched) all(r resource) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, item := range w.stores[r].List() {
		if o, ok := item.(*unstructured.Unstructured); ok {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b *unstructured.Unstructured) int { return strings.Compare(name(a), name(b)) })
	return found
}

func (w *watched) get(r resource, namespace, called string) *unstructured.Unstructured {
	item, found, err := w.stores[r].GetByKey(namespace + "/" + called)
	if err != nil || !found {
		return nil
	}
	o, _ := item.(*unstructured.Unstructured)
	return o
}
