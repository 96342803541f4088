package local

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Run is the function command:local:run: a command that runs on every execution of the program.
type Run struct{}

// RunArgs are the inputs of Run.
type RunArgs struct {
	Execution
	Command string `pulumi:"command"`
}

// RunState is the result of Run.
type RunState struct {
	RunArgs
	Outputs
}

// Invoke runs the command.
func (*Run) Invoke(ctx context.Context, req infer.FunctionRequest[RunArgs]) (infer.FunctionResponse[RunState], error) {
	outputs, err := req.Input.run(ctx, req.Input.Command, Outputs{})
	return infer.FunctionResponse[RunState]{Output: RunState{RunArgs: req.Input, Outputs: outputs}}, err
}

// run starts command through the interpreter and waits for its end. previous is what an earlier run wrote.
// Both streams are kept, and shown in Pulumi's log as far as logging allows; a failure's message holds both as
// they arrived: they are two pipes, so what was written to one may come before what was written earlier to the other.
func (e Execution) run(ctx context.Context, command string, previous Outputs) (Outputs, error) {
	argv := append(e.interpreter(), command)
	process := exec.CommandContext(ctx, argv[0], argv[1:]...)
	// A child that survives its shell may hold the pipes open; don't wait for it for ever.
	process.WaitDelay = 10 * time.Second
	process.Env = e.environment(previous)
	if e.Dir != nil {
		process.Dir = *e.Dir
	}
	if e.Stdin != nil {
		process.Stdin = strings.NewReader(*e.Stdin)
	}

	var both shared
	logOut, logErr, _ := logged(e.logging())
	stdout := &stream{both: &both, log: lineLogger(ctx, logOut)}
	stderr := &stream{both: &both, log: lineLogger(ctx, logErr)}
	process.Stdout, process.Stderr = stdout, stderr

	err := process.Run()
	stdout.flush()
	stderr.flush()
	if err != nil {
		return Outputs{}, fmt.Errorf("%w: running %q:\n%s", err, command, both.String())
	}
	return Outputs{
		Stdout: strings.TrimSuffix(stdout.text.String(), "\n"),
		Stderr: strings.TrimSuffix(stderr.text.String(), "\n"),
	}, nil
}

func (e Execution) interpreter() []string {
	if e.Interpreter != nil && len(*e.Interpreter) > 0 {
		return append([]string{}, *e.Interpreter...)
	}
	if runtime.GOOS == "windows" {
		return []string{"cmd", "/C"}
	}
	return []string{"/bin/sh", "-c"}
}

func (e Execution) environment(previous Outputs) []string {
	env := os.Environ()
	if e.Environment != nil {
		for name, value := range *e.Environment {
			env = append(env, name+"="+value)
		}
	}
	if e.AddPreviousOutputInEnv == nil || *e.AddPreviousOutputInEnv {
		if previous.Stdout != "" {
			env = append(env, "PULUMI_COMMAND_STDOUT="+previous.Stdout)
		}
		if previous.Stderr != "" {
			env = append(env, "PULUMI_COMMAND_STDERR="+previous.Stderr)
		}
	}
	return env
}

func (e Execution) logging() string {
	if e.Logging == nil {
		return "stdoutAndStderr"
	}
	return *e.Logging
}

// logged tells which streams a value of logging shows; ok is false for a value that the SDK's enum has not.
func logged(logging string) (stdout, stderr, ok bool) {
	switch logging {
	case "stdoutAndStderr":
		return true, true, true
	case "stdout":
		return true, false, true
	case "stderr":
		return false, true, true
	case "none":
		return false, false, true
	}
	return false, false, false
}

func unknownLogging(value string) p.CheckFailure {
	return p.CheckFailure{
		Property: "logging",
		Reason:   fmt.Sprintf("%q is not one of stdout, stderr, stdoutAndStderr, none", value),
	}
}

func lineLogger(ctx context.Context, on bool) func(string) {
	if !on {
		return func(string) {}
	}
	return p.GetLogger(ctx).Info
}

// stream collects one output of a process and hands each whole line to log.
type stream struct {
	text bytes.Buffer
	line bytes.Buffer
	both *shared
	log  func(string)
}

func (s *stream) Write(data []byte) (int, error) {
	s.text.Write(data)
	s.both.add(data)
	for _, char := range data {
		if char == '\n' {
			s.flush()
		} else {
			s.line.WriteByte(char)
		}
	}
	return len(data), nil
}

func (s *stream) flush() {
	if s.line.Len() > 0 {
		s.log(s.line.String())
		s.line.Reset()
	}
}
