// pulumi-resource-tailscale: stand-in for the plugin of @pulumi/tailscale 0.29.1, used only where the official
// plugin cannot be downloaded: its sources are not on the Go module proxy. It has the resources Acl, TailnetKey
// and OauthClient and the functions getAcl, getDevice and getDevices on Tailscale's own HTTP client, and keeps
// the official plugin's habits, the dangerous ones too (see index/acl.go). What it leaves out: every other
// resource, and federated identities as credentials; a program that uses one of them is refused.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	"tailwart.local/tools/providers/tailscale/index"
)

// version is set by the linker (tools/manifest.mjs) to the version of the npm package.
var version = "0.0.0-dev"

func main() {
	provider, err := infer.NewProviderBuilder().
		WithConfig(infer.Config(&index.Config{})).
		WithResources(
			infer.Resource(&index.Acl{}),
			infer.Resource(&index.TailnetKey{}),
			infer.Resource(&index.OauthClient{}),
		).
		WithFunctions(
			infer.Function(&index.GetAcl{}),
			infer.Function(&index.GetDevice{}),
			infer.Function(&index.GetDevices{}),
		).
		Build()
	if err == nil {
		err = index.WithIDs(provider).Run(context.Background(), "tailscale", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-tailscale:", err)
		os.Exit(1)
	}
}
