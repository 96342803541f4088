// pulumi-resource-random: stand-in for the plugin of @pulumi/random 4.21.2, used only where the official plugin
// cannot be downloaded. It bridges the very Terraform provider that the official one bridges, with the same
// names, so the same state can be carried on by either.
package main

import (
	"context"
	"errors"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	tokenlib "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/terraform-providers/terraform-provider-random/shim"

	"tailwart.local/tools/bridges/schema"
)

// version is set by the linker (tools/manifest.mjs) to the version of the npm package.
var version = "0.0.0-dev"

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            pf.ShimProvider(shim.NewProvider()),
		Name:         "random",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte(`{"auto-settings":{},"auto-aliasing":{}}`)),
		Resources: map[string]*tfbridge.ResourceInfo{
			"random_bytes":    {ComputeID: bytesID},
			"random_password": {},
			"random_string":   {},
		},
		EnableAccurateBridgePreview: true,
		EnableRawStateDelta:         true,
	}
	// random_password → RandomPassword: the package keeps its name in the type.
	standard := tokenlib.MakeStandard("random")
	info.MustComputeTokens(tokenlib.SingleModule("random_", "index", func(module, name string) (string, error) {
		return standard(module, "Random"+name)
	}))
	return info
}

// bytesID takes the id of RandomBytes from its value, since upstream gives it none.
func bytesID(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	value := state["base64"]
	if value.IsSecret() {
		value = value.SecretValue().Element
	}
	if !value.IsString() {
		return "", errors.New("RandomBytes came back from the provider without its value (base64)")
	}
	return resource.ID(value.StringValue()), nil
}

func main() {
	info := provider()
	pf.Main(context.Background(), "random", info, pf.ProviderMetadata{PackageSchema: schema.Of(info)})
}
