// Package shim opens the upstream provider, which lives in an internal package and so can only be
// imported from below its own module path.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns the Terraform provider with the resources of the Terraform plugin SDK.
func NewProvider(version string) *schema.Provider { return provider.New(version)() }
