package index

import (
	"fmt"
	"slices"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"tailscale.com/client/tailscale/v2"
)

// differences collects what changed between the state and the new inputs.
type differences map[string]p.PropertyDiff

func (d differences) update(property string, changed bool) {
	if changed {
		d[property] = p.PropertyDiff{Kind: p.Update}
	}
}

func (d differences) replace(property string, changed bool) {
	if changed {
		d[property] = p.PropertyDiff{Kind: p.UpdateReplace}
	}
}

func (d differences) response() infer.DiffResponse {
	return infer.DiffResponse{HasChanges: len(d) > 0, DetailedDiff: d}
}

// described says what was tried, and lists what the control server found wrong with it: for a policy file whose
// tests fail the message alone is "test(s) failed".
func described(what string, err error) error {
	if err == nil {
		return nil
	}
	var details strings.Builder
	for _, data := range tailscale.ErrorData(err) {
		for _, text := range data.Errors {
			fmt.Fprintf(&details, "\n  %s: %s", data.User, text)
		}
	}
	return fmt.Errorf("cannot %s: %w%s", what, err, details.String())
}

func isTrue(flag *bool) bool { return flag != nil && *flag }

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func list(values *[]string) []string {
	if values == nil {
		return nil
	}
	return *values
}

// sameSet compares two lists whose order means nothing, such as tags.
func sameSet(left, right *[]string) bool {
	sortedLeft, sortedRight := slices.Sorted(slices.Values(list(left))), slices.Sorted(slices.Values(list(right)))
	return slices.Equal(sortedLeft, sortedRight)
}

func timestamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}
