// pulumi-resource-docker: stand-in for the plugin of @pulumi/docker 5.2.0, used only where the official plugin
// cannot be downloaded. It bridges the very Terraform provider that the official one bridges, with the same
// names, so the same state can be carried on by either. What it leaves out: Image (built by code of the
// official plugin, not by the Terraform provider) and the resources that upstream wrote with the Terraform
// plugin framework.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	tokenlib "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"

	"tailwart.local/tools/bridges/schema"
)

// version is set by the linker (tools/manifest.mjs) to the version of the npm package.
var version = "0.0.0-dev"

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(shim.NewProvider(version)),
		Name:    "docker",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				Value:   "unix:///var/run/docker.sock",
				EnvVars: []string{"DOCKER_HOST"},
			}},
			// The bridge would write a list in the plural and make a list of one an object; the SDK does neither.
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: resource("ServiceConfig")},
			"docker_container": {
				Tok: resource("Container"),
				// Names and published ports can be held by one container at a time.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_image": {
				Tok:    resource("RemoteImage"),
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: tokens.ModuleMember("docker:index/getRemoteImage:getRemoteImage")},
		},
	}
	info.MustComputeTokens(tokenlib.SingleModule("docker_", "index", tokenlib.MakeStandard("docker")))
	info.SetAutonaming(255, "-")
	return info
}

func resource(name string) tokens.Type {
	token, err := tokenlib.MakeStandard("docker")("index", name)
	if err != nil {
		panic(err)
	}
	return tokens.Type(token)
}

func main() {
	info := provider()
	tfbridge.Main("docker", version, info, schema.Of(info))
}
