package index

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/tailscale/hujson"
)

// Acl is the tailnet's policy file as a whole. As upstream:
//   - Create refuses to overwrite a document that is not the untouched default, unless overwriteExistingContent;
//   - Update overwrites blindly (terraform-provider-tailscale#633), so drift must be looked for before;
//   - Delete leaves the document alone, unless resetAclOnDestroy, which puts the default back: everybody may
//     reach everything;
//   - two documents are the same when they look the same after formatting.
type Acl struct{}

// AclArgs are the inputs.
type AclArgs struct {
	Acl                      string `pulumi:"acl"`
	OverwriteExistingContent *bool  `pulumi:"overwriteExistingContent,optional"`
	ResetAclOnDestroy        *bool  `pulumi:"resetAclOnDestroy,optional"`
}

// AclState is what is kept.
type AclState struct{ AclArgs }

var (
	_ infer.CustomResource[AclArgs, AclState] = (*Acl)(nil)
	_ infer.CustomCheck[AclArgs]              = (*Acl)(nil)
	_ infer.CustomDiff[AclArgs, AclState]     = (*Acl)(nil)
	_ infer.CustomRead[AclArgs, AclState]     = (*Acl)(nil)
	_ infer.CustomUpdate[AclArgs, AclState]   = (*Acl)(nil)
	_ infer.CustomDelete[AclState]            = (*Acl)(nil)
)

// Annotate gives the token of the SDK's class.
func (a *Acl) Annotate(annotator infer.Annotator) { annotator.SetToken("index/acl", "Acl") }

// Check refuses a document that is not HuJSON.
func (*Acl) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[AclArgs], error) {
	args, failures, err := infer.DefaultCheck[AclArgs](ctx, req.NewInputs)
	if text := req.NewInputs.Get("acl"); text.IsString() {
		if _, err := hujson.Parse([]byte(text.AsString())); err != nil {
			failures = append(failures, p.CheckFailure{Property: "acl", Reason: "not HuJSON: " + err.Error()})
		}
	}
	return infer.CheckResponse[AclArgs]{Inputs: args, Failures: failures}, err
}

// Create writes the document over the default one.
func (*Acl) Create(ctx context.Context, req infer.CreateRequest[AclArgs]) (infer.CreateResponse[AclState], error) {
	state := AclState{req.Inputs}
	response := infer.CreateResponse[AclState]{Output: state}
	if req.DryRun {
		return response, nil
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	etag := "ts-default"
	if isTrue(req.Inputs.OverwriteExistingContent) {
		etag = ""
	}
	if err := api.PolicyFile().Set(ctx, req.Inputs.Acl, etag); err != nil {
		if strings.HasSuffix(err.Error(), "(412)") {
			return response, fmt.Errorf("the tailnet already has a policy file of its own, and it would be "+
				"overwritten: import it first with `pulumi import tailscale:index/acl:Acl <name> acl`, "+
				"or set overwriteExistingContent: %w", err)
		}
		return response, described("write the tailnet's policy file", err)
	}
	response.ID, err = randomID()
	return response, err
}

// Read takes over what the control server has, unless it only differs in spacing.
func (*Acl) Read(
	ctx context.Context, req infer.ReadRequest[AclArgs, AclState],
) (infer.ReadResponse[AclArgs, AclState], error) {
	response := infer.ReadResponse[AclArgs, AclState]{ID: req.ID, Inputs: req.Inputs, State: req.State}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	remote, err := api.PolicyFile().Raw(ctx)
	if err != nil {
		return response, described("read the tailnet's policy file", err)
	}
	if !sameDocument(remote.HuJSON, req.State.Acl) {
		response.State.Acl = remote.HuJSON
	}
	if response.Inputs.Acl == "" { // an import: there are no inputs yet
		response.Inputs.Acl = remote.HuJSON
	}
	return response, nil
}

// Diff compares the documents after formatting.
func (*Acl) Diff(_ context.Context, req infer.DiffRequest[AclArgs, AclState]) (infer.DiffResponse, error) {
	changed := differences{}
	changed.update("acl", !sameDocument(req.State.Acl, req.Inputs.Acl))
	changed.update("overwriteExistingContent",
		isTrue(req.State.OverwriteExistingContent) != isTrue(req.Inputs.OverwriteExistingContent))
	changed.update("resetAclOnDestroy", isTrue(req.State.ResetAclOnDestroy) != isTrue(req.Inputs.ResetAclOnDestroy))
	return changed.response(), nil
}

// Update writes the document, whatever stands there.
func (*Acl) Update(
	ctx context.Context, req infer.UpdateRequest[AclArgs, AclState],
) (infer.UpdateResponse[AclState], error) {
	response := infer.UpdateResponse[AclState]{Output: AclState{req.Inputs}}
	if req.DryRun {
		return response, nil
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	return response, described("write the tailnet's policy file", api.PolicyFile().Set(ctx, req.Inputs.Acl, ""))
}

// Delete forgets the document, or resets it where that was asked for.
func (*Acl) Delete(ctx context.Context, req infer.DeleteRequest[AclState]) (infer.DeleteResponse, error) {
	if !isTrue(req.State.ResetAclOnDestroy) {
		return infer.DeleteResponse{}, nil
	}
	api, err := client(ctx)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	return infer.DeleteResponse{}, described("reset the tailnet's policy file", api.PolicyFile().Set(ctx, "", ""))
}

func sameDocument(left, right string) bool {
	if left == right {
		return true
	}
	formattedLeft, errLeft := hujson.Format([]byte(left))
	formattedRight, errRight := hujson.Format([]byte(right))
	return errLeft == nil && errRight == nil && string(formattedLeft) == string(formattedRight)
}

func randomID() (string, error) {
	random := make([]byte, 16)
	_, err := rand.Read(random)
	return hex.EncodeToString(random), err
}
