// Package index holds the resources of the provider tailscale; the SDK's tokens name the module "index/<file>".
package index

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/pulumi/pulumi-go-provider/infer"
	"tailscale.com/client/tailscale/v2"
)

// Config is the provider's configuration. What is left out is taken from the environment when the API is called,
// and so never lands in the state.
type Config struct {
	APIKey            *string   `pulumi:"apiKey,optional" provider:"secret"`
	OAuthClientID     *string   `pulumi:"oauthClientId,optional"`
	OAuthClientSecret *string   `pulumi:"oauthClientSecret,optional" provider:"secret"`
	Scopes            *[]string `pulumi:"scopes,optional"`
	Tailnet           *string   `pulumi:"tailnet,optional"`
	BaseURL           *string   `pulumi:"baseUrl,optional"`
	UserAgent         *string   `pulumi:"userAgent,optional"`
}

// Diff lets every change of the configuration pass as an update. By default a changed value would replace the
// provider and with it all of its resources: a renewed API key would then make new node keys.
func (*Config) Diff(_ context.Context, req infer.DiffRequest[*Config, *Config]) (infer.DiffResponse, error) {
	return infer.DiffResponse{}, nil
}

// client returns Tailscale's HTTP client. It is made for each call, so a preview that calls nothing needs
// neither credentials nor a network.
func client(ctx context.Context) (*tailscale.Client, error) {
	config := infer.GetConfig[*Config](ctx)
	base, err := url.Parse(config.value(config.BaseURL, "https://api.tailscale.com", "TAILSCALE_BASE_URL"))
	if err != nil {
		return nil, fmt.Errorf("tailscale:baseUrl is not a URL: %w", err)
	}
	made := &tailscale.Client{
		BaseURL:   base,
		UserAgent: config.value(config.UserAgent, "tailwart-stand-in"),
		Tailnet:   config.value(config.Tailnet, "-", "TAILSCALE_TAILNET"),
	}
	apiKey, err := secret(config.value(config.APIKey, "", "TAILSCALE_API_KEY"))
	if err != nil {
		return nil, err
	}
	id, err := secret(config.value(config.OAuthClientID, "", "TAILSCALE_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID"))
	if err != nil {
		return nil, err
	}
	oauthSecret, err := secret(
		config.value(config.OAuthClientSecret, "", "TAILSCALE_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET"))
	if err != nil {
		return nil, err
	}
	switch {
	case apiKey != "" && (config.OAuthClientID != nil || config.OAuthClientSecret != nil) && config.APIKey != nil:
		return nil, errors.New("tailscale:apiKey and tailscale:oauthClientId exclude each other: give one of them")
	case config.APIKey == nil && id != "" && oauthSecret != "":
		oauth := &tailscale.OAuth{ClientID: id, ClientSecret: oauthSecret}
		if config.Scopes != nil {
			oauth.Scopes = *config.Scopes
		}
		made.Auth = oauth
	case apiKey != "":
		made.APIKey = apiKey
	default:
		return nil, errors.New("no Tailscale credentials: set tailscale:apiKey, or tailscale:oauthClientId and " +
			"tailscale:oauthClientSecret (or TAILSCALE_API_KEY, TAILSCALE_OAUTH_CLIENT_ID and _SECRET)")
	}
	return made, nil
}

func (*Config) value(given *string, otherwise string, variables ...string) string {
	if given != nil && *given != "" {
		return *given
	}
	for _, name := range variables {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return otherwise
}

// secret resolves "file:/path", which the official provider accepts wherever it takes a secret.
func secret(value string) (string, error) {
	path, isFile := strings.CutPrefix(value, "file:")
	if !isFile {
		return value, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("a Tailscale credential is read from a file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
