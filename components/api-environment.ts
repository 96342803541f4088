import * as pulumi from "@pulumi/pulumi";

/**
 * The Tailscale provider's own settings, as environment of the scripts that ask the same API. What
 * is in the environment of the program is inherited by them.
 */
export function apiEnvironment(): Record<string, pulumi.Input<string>> {
  const config = new pulumi.Config("tailscale");
  const plain = { TAILSCALE_BASE_URL: config.get("baseUrl"), TAILSCALE_TAILNET: config.get("tailnet") };
  const secret = {
    TAILSCALE_API_KEY: config.getSecret("apiKey"),
    TAILSCALE_OAUTH_CLIENT_ID: config.get("oauthClientId"),
    TAILSCALE_OAUTH_CLIENT_SECRET: config.getSecret("oauthClientSecret"),
  };
  const set = Object.entries({ ...plain, ...secret }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Record<string, pulumi.Input<string>>;
}
