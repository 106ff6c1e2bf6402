// Command crictl is a stand-in for cri-tools' crictl: what kind asks of it, and what a
// person needs who looks into a node.
//
//	crictl inspecti IMAGE | images | pods | ps
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// endpoint is containerd's in a kind node.
const endpoint = "unix:///run/containerd/containerd.sock"

var errUsage = errors.New("usage: crictl inspecti IMAGE | images | pods | ps (a stand-in: it knows nothing else)")

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	switch args[0] {
	case "inspecti":
		if len(args) < 2 {
			return errUsage
		}
		// kind puts flags between the command and the image.
		return inspectImage(ctx, cri.NewImageServiceClient(conn), args[len(args)-1])
	case "images", "image":
		return listImages(ctx, cri.NewImageServiceClient(conn))
	case "pods":
		return listPods(ctx, cri.NewRuntimeServiceClient(conn))
	case "ps":
		return listContainers(ctx, cri.NewRuntimeServiceClient(conn))
	}
	return errUsage
}

// imageStatus has crictl's names: kind reads status.id.
type imageStatus struct {
	ID          string   `json:"id"`
	RepoTags    []string `json:"repoTags"`
	RepoDigests []string `json:"repoDigests"`
	Size        uint64   `json:"size"`
	Pinned      bool     `json:"pinned"`
}

func inspectImage(ctx context.Context, images cri.ImageServiceClient, name string) error {
	r, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	if err != nil {
		return err
	}
	if r.Image == nil {
		return fmt.Errorf("no such image %q present", name)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(map[string]imageStatus{"status": {
		ID: r.Image.Id, RepoTags: r.Image.RepoTags, RepoDigests: r.Image.RepoDigests,
		Size: r.Image.Size, Pinned: r.Image.Pinned,
	}})
}

func listImages(ctx context.Context, images cri.ImageServiceClient) error {
	r, err := images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, i := range r.Images {
		fmt.Printf("%.19s\t%d\t%v\n", i.Id, i.Size, i.RepoTags)
	}
	return nil
}

func listPods(ctx context.Context, runtime cri.RuntimeServiceClient) error {
	r, err := runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	for _, p := range r.Items {
		fmt.Printf("%.13s\t%s\t%s/%s\n", p.Id, p.State, p.Metadata.Namespace, p.Metadata.Name)
	}
	return nil
}

func listContainers(ctx context.Context, runtime cri.RuntimeServiceClient) error {
	r, err := runtime.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return err
	}
	for _, c := range r.Containers {
		fmt.Printf("%.13s\t%s\t%s\t%s\n", c.Id, c.State, c.Metadata.Name, c.Labels["io.kubernetes.pod.name"])
	}
	return nil
}
