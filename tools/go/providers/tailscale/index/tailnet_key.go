package index

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"tailscale.com/client/tailscale/v2"
)

const (
	// ninetyDays is the expiry of a key in seconds where none is given.
	ninetyDays = 90 * 24 * 60 * 60
	// longestDescription is the service's limit in characters.
	longestDescription = 50
)

// TailnetKey is a key that lets a machine join the tailnet. As upstream: any change makes a new key, except of
// recreateIfInvalid; a key that a refresh finds invalid is made anew if it is reusable or recreateIfInvalid is
// "always", and left alone otherwise.
type TailnetKey struct{}

// TailnetKeyArgs are the inputs; Expiry is in seconds.
type TailnetKeyArgs struct {
	Description       *string   `pulumi:"description,optional"`
	Ephemeral         *bool     `pulumi:"ephemeral,optional"`
	Expiry            *int      `pulumi:"expiry,optional"`
	Preauthorized     *bool     `pulumi:"preauthorized,optional"`
	RecreateIfInvalid *string   `pulumi:"recreateIfInvalid,optional"`
	Reusable          *bool     `pulumi:"reusable,optional"`
	Tags              *[]string `pulumi:"tags,optional"`
	UserID            *string   `pulumi:"userId,optional"`
}

// TailnetKeyState is what is kept. The key itself is told once, when it is made.
type TailnetKeyState struct {
	TailnetKeyArgs
	Key       string `pulumi:"key" provider:"secret"`
	CreatedAt string `pulumi:"createdAt"`
	ExpiresAt string `pulumi:"expiresAt"`
	Invalid   bool   `pulumi:"invalid"`
}

var (
	_ infer.CustomResource[TailnetKeyArgs, TailnetKeyState] = (*TailnetKey)(nil)
	_ infer.CustomCheck[TailnetKeyArgs]                     = (*TailnetKey)(nil)
	_ infer.CustomDiff[TailnetKeyArgs, TailnetKeyState]     = (*TailnetKey)(nil)
	_ infer.CustomRead[TailnetKeyArgs, TailnetKeyState]     = (*TailnetKey)(nil)
	_ infer.CustomUpdate[TailnetKeyArgs, TailnetKeyState]   = (*TailnetKey)(nil)
	_ infer.CustomDelete[TailnetKeyState]                   = (*TailnetKey)(nil)
)

// Annotate gives the token of the SDK's class.
func (k *TailnetKey) Annotate(annotator infer.Annotator) {
	annotator.SetToken("index/tailnetKey", "TailnetKey")
}

// Check refuses what the service would refuse later.
func (*TailnetKey) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[TailnetKeyArgs], error) {
	args, failures, err := infer.DefaultCheck[TailnetKeyArgs](ctx, req.NewInputs)
	if length := utf8.RuneCountInString(text(args.Description)); length > longestDescription {
		failures = append(failures, p.CheckFailure{Property: "description",
			Reason: fmt.Sprintf("has %d characters; at most %d are accepted", length, longestDescription)})
	}
	switch text(args.RecreateIfInvalid) {
	case "", "always", "never":
	default:
		failures = append(failures, p.CheckFailure{Property: "recreateIfInvalid",
			Reason: fmt.Sprintf("%q is not one of always, never", *args.RecreateIfInvalid)})
	}
	return infer.CheckResponse[TailnetKeyArgs]{Inputs: args, Failures: failures}, err
}

// Create makes the key.
func (*TailnetKey) Create(
	ctx context.Context, req infer.CreateRequest[TailnetKeyArgs],
) (infer.CreateResponse[TailnetKeyState], error) {
	state := TailnetKeyState{TailnetKeyArgs: req.Inputs}
	response := infer.CreateResponse[TailnetKeyState]{Output: state}
	if req.DryRun {
		return response, nil
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	order := tailscale.CreateKeyRequest{Description: text(req.Inputs.Description), ExpirySeconds: ninetyDays}
	if req.Inputs.Expiry != nil {
		order.ExpirySeconds = int64(*req.Inputs.Expiry)
	}
	create := &order.Capabilities.Devices.Create
	create.Reusable = isTrue(req.Inputs.Reusable)
	create.Ephemeral = isTrue(req.Inputs.Ephemeral)
	create.Preauthorized = isTrue(req.Inputs.Preauthorized)
	create.Tags = list(req.Inputs.Tags)
	key, err := api.Keys().CreateAuthKey(ctx, order)
	if err != nil {
		return response, described("make the tailnet key "+req.Name, err)
	}
	response.ID = key.ID
	response.Output.Key = key.Key
	response.Output.fill(key)
	return response, nil
}

// Read looks whether the key is still good. A key that is gone is an invalid key, not a missing resource.
func (*TailnetKey) Read(
	ctx context.Context, req infer.ReadRequest[TailnetKeyArgs, TailnetKeyState],
) (infer.ReadResponse[TailnetKeyArgs, TailnetKeyState], error) {
	response := infer.ReadResponse[TailnetKeyArgs, TailnetKeyState]{ID: req.ID, Inputs: req.Inputs, State: req.State}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	key, err := api.Keys().Get(ctx, req.ID)
	switch {
	case tailscale.IsNotFound(err):
		response.State.Invalid = true
		return response, nil
	case err != nil:
		return response, described("read the tailnet key "+req.ID, err)
	case key.KeyType != "" && key.KeyType != "auth":
		return response, fmt.Errorf("%s is a key of type %q and not an auth key", req.ID, key.KeyType)
	}
	response.State.fill(key)
	if req.State.CreatedAt == "" { // an import: take over what the key is
		response.State.describe(key)
		response.Inputs = response.State.TailnetKeyArgs
	}
	return response, nil
}

// Diff: see TailnetKey.
func (*TailnetKey) Diff(
	_ context.Context, req infer.DiffRequest[TailnetKeyArgs, TailnetKeyState],
) (infer.DiffResponse, error) {
	old, wanted := req.State.TailnetKeyArgs, req.Inputs
	changed := differences{}
	changed.replace("description", text(old.Description) != text(wanted.Description))
	changed.replace("ephemeral", isTrue(old.Ephemeral) != isTrue(wanted.Ephemeral))
	changed.replace("expiry", seconds(old.Expiry) != seconds(wanted.Expiry))
	changed.replace("preauthorized", isTrue(old.Preauthorized) != isTrue(wanted.Preauthorized))
	changed.replace("reusable", isTrue(old.Reusable) != isTrue(wanted.Reusable))
	changed.replace("tags", !sameSet(old.Tags, wanted.Tags))
	changed.update("recreateIfInvalid", text(old.RecreateIfInvalid) != text(wanted.RecreateIfInvalid))
	changed.replace("invalid", req.State.Invalid && wanted.recreate())
	return changed.response(), nil
}

// Update only has recreateIfInvalid to take over, which the service does not know.
func (*TailnetKey) Update(
	_ context.Context, req infer.UpdateRequest[TailnetKeyArgs, TailnetKeyState],
) (infer.UpdateResponse[TailnetKeyState], error) {
	state := req.State
	state.TailnetKeyArgs = req.Inputs
	return infer.UpdateResponse[TailnetKeyState]{Output: state}, nil
}

// Delete revokes the key.
func (*TailnetKey) Delete(
	ctx context.Context, req infer.DeleteRequest[TailnetKeyState],
) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, deleteKey(ctx, req.ID)
}

// WireDependencies: nothing secret goes into a key but the key itself.
func (*TailnetKey) WireDependencies(f infer.FieldSelector, _ *TailnetKeyArgs, state *TailnetKeyState) {
	f.OutputField(&state.Key).AlwaysSecret()
}

func (a TailnetKeyArgs) recreate() bool {
	return text(a.RecreateIfInvalid) == "always" || (text(a.RecreateIfInvalid) == "" && isTrue(a.Reusable))
}

func (s *TailnetKeyState) fill(key *tailscale.Key) {
	s.CreatedAt, s.ExpiresAt, s.Invalid = timestamp(key.Created), timestamp(key.Expires), key.Invalid
}

func (s *TailnetKeyState) describe(key *tailscale.Key) {
	create := key.Capabilities.Devices.Create
	s.Description, s.Reusable, s.Ephemeral = &key.Description, &create.Reusable, &create.Ephemeral
	s.Preauthorized, s.Tags = &create.Preauthorized, &create.Tags
	if key.ExpirySeconds != nil {
		// The client reads the number of seconds into a Duration as it stands.
		expiry := int(*key.ExpirySeconds / time.Nanosecond)
		s.Expiry = &expiry
	}
}

func seconds(expiry *int) int {
	if expiry == nil {
		return ninetyDays
	}
	return *expiry
}

func deleteKey(ctx context.Context, id string) error {
	api, err := client(ctx)
	if err != nil {
		return err
	}
	if err := api.Keys().Delete(ctx, id); err != nil && !tailscale.IsNotFound(err) {
		return described("revoke the key "+id, err)
	}
	return nil
}
