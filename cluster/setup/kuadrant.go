package setup

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/install"
)

func kuadrantPlan(context.Context, cluster.Options, []*unstructured.Unstructured) (*planned, error) {
	return nil, errors.New("stack kuadrant: to be wired")
}

func chartsFor(cluster.Options) install.Charts { return nil }
