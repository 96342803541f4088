package index

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// The SDK's functions answer a property "id", a name that pulumi-go-provider keeps for resources and refuses in
// the result of a function. The results are declared with "identifier" and renamed on their way out.
const declared, shown = "identifier", "id"

// WithIDs renames the property in what the functions answer and in the schema, and gives the schema the module
// format of the official one.
func WithIDs(provider p.Provider) p.Provider {
	invoke, getSchema := provider.Invoke, provider.GetSchema
	provider.Invoke = func(ctx context.Context, req p.InvokeRequest) (p.InvokeResponse, error) {
		response, err := invoke(ctx, req)
		response.Return = renamed(response.Return)
		return response, err
	}
	provider.GetSchema = func(ctx context.Context, req p.GetSchemaRequest) (p.GetSchemaResponse, error) {
		response, err := getSchema(ctx, req)
		if err != nil {
			return response, err
		}
		var schema map[string]any
		text := strings.ReplaceAll(response.Schema, `"`+declared+`"`, `"`+shown+`"`)
		if err := json.Unmarshal([]byte(text), &schema); err != nil {
			return response, fmt.Errorf("the schema is not JSON: %w", err)
		}
		// Says how "tailscale:index/acl:Acl" names the module "index".
		schema["meta"] = map[string]any{"moduleFormat": "(.*)(?:/[^/]*)"}
		whole, err := json.Marshal(schema)
		return p.GetSchemaResponse{Schema: string(whole)}, err
	}
	return provider
}

func renamed(result property.Map) property.Map {
	fields := map[string]property.Value{}
	for name, value := range result.All {
		if name == declared {
			name = shown
		}
		if name == "devices" && value.IsArray() {
			devices := []property.Value{}
			for _, device := range value.AsArray().All {
				devices = append(devices, property.New(renamed(device.AsMap())))
			}
			value = property.New(devices)
		}
		fields[name] = value
	}
	return property.NewMap(fields)
}
