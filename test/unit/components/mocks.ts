import * as pulumi from "@pulumi/pulumi";

/** One registered resource, as the engine would have got it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/**
 * Runs a program's resources against Pulumi's own mocks and returns what was registered, in order of name.
 * Secrets show as their plain text here: the mocks are given the wire form.
 */
export async function registered(build: () => unknown): Promise<Registered[]> {
  const seen: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        seen.push({ type, name, inputs: inputs as Record<string, unknown> });
        return { id: `${name}-id`, state: { ...(inputs as object), ...computed(type, name) } };
      },
      call: ({ token }) => {
        throw new Error(`${token} was called: preview needs no lookups (decision 12)`);
      },
    },
    "tailwart",
    "golden",
    false,
  );
  try {
    await build();
  } finally {
    // Registrations wait for each other's outputs: done is when none has come for a while.
    for (let before = -1; before !== seen.length;) {
      before = seen.length;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
  return seen.sort((a, b) => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`));
}

/** What only the provider knows. */
function computed(type: string, name: string): Record<string, unknown> {
  if (type === "tailscale:index/tailnetKey:TailnetKey") return { key: `key-of-${name}` };
  if (type === "tailscale:index/oauthClient:OauthClient") return { key: `secret-of-${name}` };
  if (type === "random:index/randomPassword:RandomPassword")
    return { result: `password-of-${name}`, bcryptHash: `hash-of-${name}` };
  return {};
}
