// pulumi-resource-command: stand-in for the plugin of @pulumi/command 1.2.1, used only where the official plugin
// cannot be downloaded. It has command:local:Command and command:local:run with the documented behaviour. What
// it leaves out: the remote module (ssh) and the properties assetPaths and archivePaths; a program that uses
// one of them is refused with an error that names it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	"tailwart.local/tools/providers/command/local"
)

// version is set by the linker (tools/manifest.mjs) to the version of the npm package.
var version = "0.0.0-dev"

func main() {
	provider, err := infer.NewProviderBuilder().
		WithResources(infer.Resource(&local.Command{})).
		WithFunctions(infer.Function(&local.Run{})).
		Build()
	if err == nil {
		err = provider.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
