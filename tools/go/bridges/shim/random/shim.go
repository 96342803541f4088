// Package shim opens the upstream provider, which lives in an internal package and so can only be
// imported from below its own module path.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	upstream "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// NewProvider returns the Terraform provider (Terraform plugin framework).
func NewProvider() provider.Provider { return upstream.New() }
