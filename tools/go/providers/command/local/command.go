// Package local holds the resources that run commands on the machine where Pulumi runs. The package's name is
// the middle part of the type token command:local:Command.
package local

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command runs a command when it is created, another when it is updated or deleted.
type Command struct{}

// Execution says how a command is run; shared by the resource and by the function.
type Execution struct {
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *string            `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Outputs is what the last run of a command wrote, without the last newline.
type Outputs struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// CommandArgs are the inputs. A changed trigger replaces the resource: the delete command of the old one runs.
type CommandArgs struct {
	Execution
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
}

// CommandState is what is kept: the inputs, since delete runs with the environment of the last create or
// update, and the last outputs.
type CommandState struct {
	CommandArgs
	Outputs
}

var (
	_ infer.CustomResource[CommandArgs, CommandState]       = (*Command)(nil)
	_ infer.CustomCheck[CommandArgs]                        = (*Command)(nil)
	_ infer.CustomUpdate[CommandArgs, CommandState]         = (*Command)(nil)
	_ infer.CustomDelete[CommandState]                      = (*Command)(nil)
	_ infer.ExplicitDependencies[CommandArgs, CommandState] = (*Command)(nil)
)

// Check refuses a value of logging that the SDK's enum does not have.
func (*Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CommandArgs], error) {
	args, failures, err := infer.DefaultCheck[CommandArgs](ctx, req.NewInputs)
	if args.Logging != nil {
		if _, _, ok := logged(*args.Logging); !ok {
			failures = append(failures, unknownLogging(*args.Logging))
		}
	}
	return infer.CheckResponse[CommandArgs]{Inputs: args, Failures: failures}, err
}

// Create runs the create command, if there is one.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandArgs],
) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun && req.Inputs.Create != nil {
		state.Outputs, err = req.Inputs.run(ctx, *req.Inputs.Create, Outputs{})
	}
	return infer.CreateResponse[CommandState]{ID: id, Output: state}, err
}

// Update runs the update command, or create where there is none. It sees the last outputs in its environment.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandArgs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs, Outputs: req.State.Outputs}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	var err error
	if !req.DryRun && command != nil {
		state.Outputs, err = req.Inputs.run(ctx, *command, req.State.Outputs)
	}
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

// Delete runs the delete command as it stands in the state, with the environment of then.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	_, err := req.State.run(ctx, *req.State.Delete, req.State.Outputs)
	return infer.DeleteResponse{}, err
}

// WireDependencies keeps a secret in the input it came by and in what the command wrote; by default one secret
// input would make every output secret.
func (*Command) WireDependencies(f infer.FieldSelector, args *CommandArgs, state *CommandState) {
	pairs := [][2]any{
		{&args.Interpreter, &state.Interpreter},
		{&args.Dir, &state.Dir},
		{&args.Environment, &state.Environment},
		{&args.Stdin, &state.Stdin},
		{&args.Logging, &state.Logging},
		{&args.AddPreviousOutputInEnv, &state.AddPreviousOutputInEnv},
		{&args.Triggers, &state.Triggers},
		{&args.Create, &state.Create},
		{&args.Update, &state.Update},
		{&args.Delete, &state.Delete},
	}
	for _, pair := range pairs {
		f.OutputField(pair[1]).DependsOn(f.InputField(pair[0]))
		f.OutputField(&state.Stdout).DependsOn(f.InputField(pair[0]))
		f.OutputField(&state.Stderr).DependsOn(f.InputField(pair[0]))
	}
}
