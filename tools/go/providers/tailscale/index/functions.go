package index

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/tailscale/hujson"
	"tailscale.com/client/tailscale/v2"
)

// Device is a node of the tailnet as the SDK shows it.
type Device struct {
	Addresses                 []string `pulumi:"addresses"`
	Authorized                bool     `pulumi:"authorized"`
	BlocksIncomingConnections bool     `pulumi:"blocksIncomingConnections"`
	ClientVersion             string   `pulumi:"clientVersion"`
	Created                   string   `pulumi:"created"`
	Expires                   string   `pulumi:"expires"`
	Hostname                  string   `pulumi:"hostname"`
	ID                        string   `pulumi:"identifier"`
	IsExternal                bool     `pulumi:"isExternal"`
	KeyExpiryDisabled         bool     `pulumi:"keyExpiryDisabled"`
	LastSeen                  string   `pulumi:"lastSeen"`
	MachineKey                string   `pulumi:"machineKey"`
	Name                      string   `pulumi:"name"`
	NodeID                    string   `pulumi:"nodeId"`
	NodeKey                   string   `pulumi:"nodeKey"`
	OS                        string   `pulumi:"os"`
	Tags                      []string `pulumi:"tags"`
	TailnetLockError          string   `pulumi:"tailnetLockError"`
	TailnetLockKey            string   `pulumi:"tailnetLockKey"`
	UpdateAvailable           bool     `pulumi:"updateAvailable"`
	User                      string   `pulumi:"user"`
}

func deviceOf(node tailscale.Device) Device {
	device := Device{
		Addresses: node.Addresses, Authorized: node.Authorized,
		BlocksIncomingConnections: node.BlocksIncomingConnections, ClientVersion: node.ClientVersion,
		Created: timestamp(node.Created.Time), Expires: timestamp(node.Expires.Time), Hostname: node.Hostname,
		ID: node.ID, IsExternal: node.IsExternal, KeyExpiryDisabled: node.KeyExpiryDisabled,
		MachineKey: node.MachineKey, Name: node.Name, NodeID: node.NodeID, NodeKey: node.NodeKey, OS: node.OS,
		Tags: node.Tags, TailnetLockError: node.TailnetLockError, TailnetLockKey: node.TailnetLockKey,
		UpdateAvailable: node.UpdateAvailable, User: node.User,
	}
	if node.LastSeen != nil {
		device.LastSeen = timestamp(node.LastSeen.Time)
	}
	return device
}

// GetAcl reads the policy file.
type GetAcl struct{}

// GetAclArgs has no fields.
type GetAclArgs struct{}

// GetAclResult holds the document as it stands and as plain JSON.
type GetAclResult struct {
	Hujson string `pulumi:"hujson"`
	ID     string `pulumi:"identifier"`
	JSON   string `pulumi:"json"`
}

// Annotate gives the token of the SDK's function.
func (g *GetAcl) Annotate(annotator infer.Annotator) { annotator.SetToken("index/getAcl", "getAcl") }

// Invoke reads the document.
func (*GetAcl) Invoke(
	ctx context.Context, _ infer.FunctionRequest[GetAclArgs],
) (infer.FunctionResponse[GetAclResult], error) {
	response := infer.FunctionResponse[GetAclResult]{}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	remote, err := api.PolicyFile().Raw(ctx)
	if err != nil {
		return response, described("read the tailnet's policy file", err)
	}
	plain, err := hujson.Standardize([]byte(remote.HuJSON))
	if err != nil {
		return response, described("read the tailnet's policy file", err)
	}
	response.Output = GetAclResult{Hujson: remote.HuJSON, JSON: string(plain)}
	response.Output.ID, err = randomID()
	return response, err
}

// GetDevice finds one node by its full name or by its host name, and waits for it where asked.
type GetDevice struct{}

// GetDeviceArgs are the inputs: one of Name and Hostname; WaitFor is a duration such as "60s".
type GetDeviceArgs struct {
	Hostname *string `pulumi:"hostname,optional"`
	Name     *string `pulumi:"name,optional"`
	WaitFor  *string `pulumi:"waitFor,optional"`
}

// GetDeviceResult is the node.
type GetDeviceResult struct {
	Device
	WaitFor *string `pulumi:"waitFor,optional"`
}

// Annotate gives the token of the SDK's function.
func (g *GetDevice) Annotate(annotator infer.Annotator) {
	annotator.SetToken("index/getDevice", "getDevice")
}

// Invoke asks each second until the node is there or the time is up.
func (*GetDevice) Invoke(
	ctx context.Context, req infer.FunctionRequest[GetDeviceArgs],
) (infer.FunctionResponse[GetDeviceResult], error) {
	response := infer.FunctionResponse[GetDeviceResult]{}
	key, value := "name", text(req.Input.Name)
	if value == "" {
		key, value = "hostname", text(req.Input.Hostname)
	}
	if value == "" || (text(req.Input.Name) != "" && text(req.Input.Hostname) != "") {
		return response, errors.New("getDevice: give either name or hostname")
	}
	var patience time.Duration
	if req.Input.WaitFor != nil {
		var err error
		if patience, err = time.ParseDuration(*req.Input.WaitFor); err != nil {
			return response, fmt.Errorf(`getDevice: waitFor is not a duration such as "60s": %w`, err)
		}
	}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	for deadline := time.Now().Add(patience); ; {
		nodes, err := api.Devices().List(ctx, tailscale.WithFilter(key, []string{value}))
		if err != nil {
			return response, described("list the tailnet's devices", err)
		}
		if len(nodes) > 0 {
			response.Output = GetDeviceResult{Device: deviceOf(nodes[0]), WaitFor: req.Input.WaitFor}
			return response, nil
		}
		if !time.Now().Before(deadline) {
			return response, fmt.Errorf("getDevice: the tailnet has no device with %s %q (waited %s)", key, value, patience)
		}
		select {
		case <-ctx.Done():
			return response, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// GetDevices lists the nodes.
type GetDevices struct{}

// Filter is a filter that the control server applies.
type Filter struct {
	Name   string   `pulumi:"name"`
	Values []string `pulumi:"values"`
}

// GetDevicesArgs are the inputs.
type GetDevicesArgs struct {
	Filters    *[]Filter `pulumi:"filters,optional"`
	NamePrefix *string   `pulumi:"namePrefix,optional"`
}

// GetDevicesResult is the list.
type GetDevicesResult struct {
	GetDevicesArgs
	Devices []Device `pulumi:"devices"`
	ID      string   `pulumi:"identifier"`
}

// Annotate gives the token of the SDK's function.
func (g *GetDevices) Annotate(annotator infer.Annotator) {
	annotator.SetToken("index/getDevices", "getDevices")
}

// Invoke lists the nodes whose names begin with the prefix.
func (*GetDevices) Invoke(
	ctx context.Context, req infer.FunctionRequest[GetDevicesArgs],
) (infer.FunctionResponse[GetDevicesResult], error) {
	result := GetDevicesResult{GetDevicesArgs: req.Input, Devices: []Device{}}
	response := infer.FunctionResponse[GetDevicesResult]{Output: result}
	api, err := client(ctx)
	if err != nil {
		return response, err
	}
	var options []tailscale.ListDevicesOptions
	if req.Input.Filters != nil {
		for _, filter := range *req.Input.Filters {
			options = append(options, tailscale.WithFilter(filter.Name, filter.Values))
		}
	}
	nodes, err := api.Devices().List(ctx, options...)
	if err != nil {
		return response, described("list the tailnet's devices", err)
	}
	for _, node := range nodes {
		if strings.HasPrefix(node.Name, text(req.Input.NamePrefix)) {
			result.Devices = append(result.Devices, deviceOf(node))
		}
	}
	result.ID, err = randomID()
	response.Output = result
	return response, err
}
