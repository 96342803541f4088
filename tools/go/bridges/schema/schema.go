// Package schema describes a bridged provider as a Pulumi package schema, straight from the Terraform
// schema and the naming rules that the bridge itself uses at run time.
//
// The upstream plugins embed a schema that a generator wrote, with documentation and SDK settings. A plugin
// that only has to serve an SDK that is already installed needs none of that; but what it answers to
// GetSchema must be true, since test/engine/tools-schema.test.ts compares it with the installed SDK.
package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// Property is a property of a Pulumi package schema; only what can be known from a Terraform schema.
type Property struct {
	Type                 string    `json:"type,omitempty"`
	Ref                  string    `json:"$ref,omitempty"`
	Items                *Property `json:"items,omitempty"`
	AdditionalProperties *Property `json:"additionalProperties,omitempty"`
	Secret               bool      `json:"secret,omitempty"`
	ReplaceOnChanges     bool      `json:"willReplaceOnChanges,omitempty"`
}

type properties map[string]*Property

type object struct {
	Type       string     `json:"type,omitempty"`
	Properties properties `json:"properties"`
	Required   []string   `json:"required,omitempty"`
}

type resource struct {
	Properties      properties `json:"properties"`
	InputProperties properties `json:"inputProperties"`
	RequiredInputs  []string   `json:"requiredInputs,omitempty"`
}

type function struct {
	Inputs  object `json:"inputs"`
	Outputs object `json:"outputs"`
}

// moduleFormat tells how "docker:index/container:Container" names the module "index".
type meta struct {
	ModuleFormat string `json:"moduleFormat"`
}

type document struct {
	Name      string              `json:"name"`
	Meta      meta                `json:"meta"`
	Version   string              `json:"version"`
	Types     map[string]object   `json:"types"`
	Provider  resource            `json:"provider"`
	Resources map[string]resource `json:"resources"`
	Functions map[string]function `json:"functions"`
}

// Of returns the package schema of info as JSON. It panics when the provider maps a name twice, which is a
// mistake in the Go file that describes the provider and not something a user can meet.
func Of(info tfbridge.ProviderInfo) []byte {
	doc := document{
		Name:      info.Name,
		Meta:      meta{ModuleFormat: "(.*)(?:/[^/]*)"},
		Version:   info.Version,
		Types:     map[string]object{},
		Resources: map[string]resource{},
		Functions: map[string]function{},
	}
	doc.Provider = doc.resource(info.Name+":index/provider:Provider", info.P.Schema(), info.Config)
	for key, res := range info.Resources {
		token := string(res.Tok)
		doc.Resources[token] = doc.resource(token, info.P.ResourcesMap().Get(key).Schema(), res.Fields)
	}
	for key, source := range info.DataSources {
		token := string(source.Tok)
		all := doc.resource(token, info.P.DataSourcesMap().Get(key).Schema(), source.Fields)
		doc.Functions[token] = function{
			Inputs:  object{Properties: all.InputProperties, Required: all.RequiredInputs},
			Outputs: object{Properties: all.Properties},
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return text
}

func (doc *document) resource(token string, fields shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) resource {
	res := resource{Properties: properties{}, InputProperties: properties{}}
	fields.Range(func(key string, field shim.Schema) bool {
		if key == "id" && !field.Required() {
			return true // a Pulumi resource has its id beside its properties
		}
		name := tfbridge.TerraformToPulumiNameV2(key, fields, infos)
		if _, taken := res.Properties[name]; taken {
			panic(fmt.Sprintf("%s: two Terraform fields are called %q", token, name))
		}
		property := doc.property(token, name, field, infos[key])
		res.Properties[name] = property
		if field.Optional() || field.Required() {
			res.InputProperties[name] = property
		}
		if field.Required() && !autoNamed(infos[key]) {
			res.RequiredInputs = append(res.RequiredInputs, name)
		}
		return true
	})
	return res
}

// property describes a field; owner and name become the name of the type where the field holds an object.
func (doc *document) property(owner, name string, field shim.Schema, info *tfbridge.SchemaInfo) *Property {
	property := doc.element(owner, name, field.Type(), field.Elem(), info)
	if (field.Type() == shim.TypeList || field.Type() == shim.TypeSet) && !tfbridge.IsMaxItemsOne(field, info) {
		property = &Property{Type: "array", Items: property}
	}
	property.Secret = field.Sensitive()
	property.ReplaceOnChanges = field.ForceNew()
	return property
}

func (doc *document) element(owner, name string, kind shim.ValueType, elem any, info *tfbridge.SchemaInfo) *Property {
	switch kind {
	case shim.TypeBool:
		return &Property{Type: "boolean"}
	case shim.TypeInt:
		return &Property{Type: "integer"}
	case shim.TypeFloat:
		return &Property{Type: "number"}
	case shim.TypeString:
		return &Property{Type: "string"}
	}
	switch elem := elem.(type) {
	case shim.Resource:
		return doc.nested(owner, name, elem.Schema(), info)
	case shim.Schema:
		inner := doc.property(owner, name, elem, nil)
		if kind == shim.TypeMap {
			return &Property{Type: "object", AdditionalProperties: inner}
		}
		return inner
	default:
		if kind == shim.TypeMap {
			return &Property{Type: "object", AdditionalProperties: &Property{Type: "string"}}
		}
		return &Property{Ref: "pulumi.json#/Any"}
	}
}

func (doc *document) nested(owner, name string, fields shim.SchemaMap, info *tfbridge.SchemaInfo) *Property {
	var infos map[string]*tfbridge.SchemaInfo
	if info != nil {
		infos = info.Fields
		if info.Elem != nil && info.Elem.Fields != nil {
			infos = info.Elem.Fields
		}
	}
	token := owner + strings.ToUpper(name[:1]) + name[1:]
	all := doc.resource(token, fields, infos)
	doc.Types[token] = object{Type: "object", Properties: all.Properties, Required: all.RequiredInputs}
	return &Property{Ref: "#/types/" + token}
}

func autoNamed(info *tfbridge.SchemaInfo) bool {
	return info != nil && info.Default != nil && info.Default.AutoNamed
}
