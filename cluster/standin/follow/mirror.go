// Package follow is what stand-ins as pods do besides serving: they follow
// objects of the Kubernetes API, as the real components do.
package follow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// The kinds that are followed.
var (
	authConfigs  = schema.GroupVersionResource{Group: "authorino.kuadrant.io", Version: "v1beta3", Resource: "authconfigs"}
	secrets      = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	envoyFilters = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"}
	httpRoutes   = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
)

// watched delivers objects as they are and as they become.
type watched struct {
	client    dynamic.Interface
	namespace string
	resource  schema.GroupVersionResource
}

// run calls put and drop for each object until ctx ends, one call at a time, and
// returns once those that are there now have been delivered.
func (w watched) run(ctx context.Context, put, drop func(*unstructured.Unstructured)) error {
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(w.client, 0, w.namespace, nil)
	informer := factory.ForResource(w.resource).Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { with(o, put) },
		UpdateFunc: func(_, o any) { with(o, put) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			with(o, drop)
		},
	})
	if err != nil {
		return fmt.Errorf("follow %s: %w", w.resource.Resource, err)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return fmt.Errorf("follow %s: %w", w.resource.Resource, context.Cause(ctx))
	}
	return nil
}

func with(object any, do func(*unstructured.Unstructured)) {
	if o, ok := object.(*unstructured.Unstructured); ok {
		do(o)
	}
}

// mirror keeps a file in a folder for each object.
type mirror struct {
	dir string
	log *slog.Logger
	// wanted chooses the objects.
	wanted func(*unstructured.Unstructured) bool

	mu sync.Mutex
}

func (m *mirror) path(o *unstructured.Unstructured) string {
	sum := sha256.Sum256([]byte(o.GetNamespace() + "/" + o.GetName()))
	return filepath.Join(m.dir, hex.EncodeToString(sum[:8])+".json")
}

func (m *mirror) put(o *unstructured.Unstructured) {
	if !m.wanted(o) {
		m.drop(o)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write(o); err != nil {
		m.log.Error("an object is not in force", "object", o.GetNamespace()+"/"+o.GetName(), "error", err)
	}
}

// write replaces an object's file as a whole, so that nobody reads half of it.
func (m *mirror) write(o *unstructured.Unstructured) error {
	// What the server adds is nothing to those who read manifests.
	text, err := json.Marshal(kube.Bare(o))
	if err != nil {
		return err
	}
	beside, err := os.CreateTemp(m.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = beside.Write(text)
	return errors.Join(err, beside.Close(), os.Rename(beside.Name(), m.path(o)))
}

func (m *mirror) drop(o *unstructured.Unstructured) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := os.Remove(m.path(o)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.log.Error("an object is still in force", "object", o.GetNamespace()+"/"+o.GetName(), "error", err)
	}
}
