package index

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"tailscale.com/client/tailscale/v2"
)

// OauthClient is an OAuth client, whose secret can make keys for its tags for as long as it exists.
type OauthClient struct{}

// OauthClientArgs are the inputs.
type OauthClientArgs struct {
	Description *string   `pulumi:"description,optional"`
	Scopes      []string  `pulumi:"scopes"`
	Tags        *[]string `pulumi:"tags,optional"`
}

// OauthClientState is what is kept. The secret is told once, when the client is made.
type OauthClientState struct {
	OauthClientArgs
	Key       string `pulumi:"key" provider:"secret"`
	CreatedAt string `pulumi:"createdAt"`
	UpdatedAt string `pulumi:"updatedAt"`
	UserID    string `pulumi:"userId"`
}

var (
	_ infer.CustomResource[OauthClientArgs, OauthClientState] = (*OauthClient)(nil)
	_ infer.CustomDiff[OauthClientArgs, OauthClientState]     = (*OauthClient)(nil)
	_ infer.CustomRead[OauthClientArgs, OauthClientState]     = (*OauthClient)(nil)
	_ infer.CustomUpdate[OauthClientArgs, OauthClientState]   = (*OauthClient)(nil)
	_ infer.CustomDelete[OauthClientState]                    = (*OauthClient)(nil)
)

// Annotate gives the token of the SDK's class.
func (c *OauthClient) Annotate(annotator infer.Annotator) {
	annotator.SetToken("index/oauthClient", "OauthClient")
}

// Create makes the client.
func (*OauthClient) Create(
	ctx context.Context, req infer.CreateRequest[OauthClientArgs],
) (infer.CreateResponse[OauthClientState], error) {
	response := infer.CreateResponse[OauthClientState]{Output: OauthClientState{OauthClientArgs: req.Inputs}}
	if req.DryRun {
		return response, nil
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	key, err := api.Keys().CreateOAuthClient(ctx, tailscale.CreateOAuthClientRequest{
		Scopes:      req.Inputs.Scopes,
		Tags:        list(req.Inputs.Tags),
		Description: text(req.Inputs.Description),
	})
	if err != nil {
		return response, described("make the OAuth client "+req.Name, err)
	}
	response.ID = key.ID
	response.Output.Key = key.Key
	response.Output.fill(key)
	return response, nil
}

// Read takes over what the control server has; a client that is gone is made anew by the next update.
func (*OauthClient) Read(
	ctx context.Context, req infer.ReadRequest[OauthClientArgs, OauthClientState],
) (infer.ReadResponse[OauthClientArgs, OauthClientState], error) {
	response := infer.ReadResponse[OauthClientArgs, OauthClientState]{ID: req.ID, Inputs: req.Inputs, State: req.State}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	key, err := api.Keys().Get(ctx, req.ID)
	if tailscale.IsNotFound(err) {
		return infer.ReadResponse[OauthClientArgs, OauthClientState]{}, nil
	}
	if err != nil {
		return response, described("read the OAuth client "+req.ID, err)
	}
	response.State.fill(key)
	response.State.Scopes = key.Scopes
	if len(key.Tags) > 0 || req.State.Tags != nil {
		response.State.Tags = &key.Tags
	}
	if key.Description != "" || req.State.Description != nil {
		response.State.Description = &key.Description
	}
	if len(req.Inputs.Scopes) == 0 { // an import: there are no inputs yet
		response.Inputs = response.State.OauthClientArgs
	}
	return response, nil
}

// Diff compares scopes and tags without their order.
func (*OauthClient) Diff(
	_ context.Context, req infer.DiffRequest[OauthClientArgs, OauthClientState],
) (infer.DiffResponse, error) {
	changed := differences{}
	changed.update("description", text(req.State.Description) != text(req.Inputs.Description))
	changed.update("scopes", !sameSet(&req.State.Scopes, &req.Inputs.Scopes))
	changed.update("tags", !sameSet(req.State.Tags, req.Inputs.Tags))
	return changed.response(), nil
}

// Update changes the client; its secret stays.
func (*OauthClient) Update(
	ctx context.Context, req infer.UpdateRequest[OauthClientArgs, OauthClientState],
) (infer.UpdateResponse[OauthClientState], error) {
	response := infer.UpdateResponse[OauthClientState]{Output: req.State}
	response.Output.OauthClientArgs = req.Inputs
	if req.DryRun {
		return response, nil
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	key, err := api.Keys().SetOAuthClient(ctx, req.ID, tailscale.SetOAuthClientRequest{
		Scopes:      req.Inputs.Scopes,
		Tags:        list(req.Inputs.Tags),
		Description: text(req.Inputs.Description),
	})
	if err != nil {
		return response, described("change the OAuth client "+req.ID, err)
	}
	response.Output.fill(key)
	return response, nil
}

// Delete revokes the client.
func (*OauthClient) Delete(
	ctx context.Context, req infer.DeleteRequest[OauthClientState],
) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, deleteKey(ctx, req.ID)
}

// WireDependencies: a change leaves the secret and the identity of the client as they are.
func (*OauthClient) WireDependencies(f infer.FieldSelector, args *OauthClientArgs, state *OauthClientState) {
	f.OutputField(&state.Key).AlwaysSecret()
	for _, input := range []any{&args.Description, &args.Scopes, &args.Tags} {
		f.OutputField(&state.UpdatedAt).DependsOn(f.InputField(input))
	}
}

func (s *OauthClientState) fill(key *tailscale.Key) {
	s.CreatedAt, s.UpdatedAt, s.UserID = timestamp(key.Created), timestamp(key.Updated), key.UserID
}
