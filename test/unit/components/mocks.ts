import * as pulumi from "@pulumi/pulumi";

/** One registered resource, as the engine would have got it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  protect?: true;
  /** Input → the resources that its value comes from, each as `<type> <name>`. */
  comesFrom?: Record<string, string[]>;
}

/** What the mocks are not handed of a registration, and the policies judge by. */
type Request = {
  getType: () => string;
  getName: () => string;
  getProtect: () => boolean;
  getPropertydependenciesMap: () => Map<string, { getUrnsList: () => string[] }>;
};
type Register = (request: Request, answer: (error: unknown, response: unknown) => void) => Promise<void>;

/** An image takes a while to be pulled: what does not wait for it is made before. Milliseconds. */
const PULL = 100;

/**
 * Runs a program's resources against Pulumi's own mocks and returns what was registered, in order
 * of name. Secrets show as their plain text here: the mocks are given the wire form.
 *
 * @param made is given each resource's type and name as it is done
 */
export async function registered(
  build: () => unknown,
  made: (type: string, name: string) => void = () => {},
): Promise<Registered[]> {
  const seen: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        if (type === "docker:index/remoteImage:RemoteImage")
          await new Promise((resolve) => setTimeout(resolve, PULL));
        made(type, name);
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
  const options = overhear();
  try {
    await build();
  } finally {
    // Registrations wait for each other's outputs; this waits for all of them.
    await pulumi.runtime.disconnect();
  }
  return seen
    .map((resource) => ({ ...resource, ...options.get(`${resource.type} ${resource.name}`) }))
    .sort((a, b) => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`));
}

/** Notes the options of each registration before the mocks get it, by `<type> <name>`. */
function overhear(): ReadonlyMap<string, Pick<Registered, "protect" | "comesFrom">> {
  const options = new Map<string, Pick<Registered, "protect" | "comesFrom">>();
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: Register;
    registerResourceHook: (request: unknown, answer: (error: null, response: object) => void) => void;
  };
  // The SDK's mocks know of no hooks. None runs here.
  monitor.registerResourceHook = (_request, answer) => answer(null, {});
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, answer) => {
    const comesFrom = Object.fromEntries(
      [...request.getPropertydependenciesMap().entries()].flatMap(([input, dependencies]) => {
        const sources = dependencies.getUrnsList().map(typeAndName).sort();
        return sources.length > 0 ? [[input, sources]] : [];
      }),
    );
    options.set(`${request.getType()} ${request.getName()}`, {
      ...(request.getProtect() ? { protect: true as const } : {}),
      ...(Object.keys(comesFrom).length > 0 ? { comesFrom } : {}),
    });
    return register(request, answer);
  };
  return options;
}

/** @example typeAndName("urn:pulumi:golden::tailwart::a:b:C$d:e:F::name") === "d:e:F name" */
function typeAndName(urn: string): string {
  const [type = "", name = ""] = urn.split("::").slice(2);
  return `${type.split("$").at(-1)} ${name}`;
}

/** What only the provider knows. */
function computed(type: string, name: string): Record<string, unknown> {
  if (type === "tailscale:index/tailnetKey:TailnetKey") return { key: `key-of-${name}` };
  if (type === "tailscale:index/oauthClient:OauthClient") return { key: `secret-of-${name}` };
  if (type === "random:index/randomPassword:RandomPassword")
    return { result: `password-of-${name}`, bcryptHash: `hash-of-${name}` };
  if (type === "tailwart:dns:DkimKey") {
    const selector = name.replace(/^.*-dkim-/, "");
    return { privateKey: `private key of ${selector}`, record: `v=DKIM1; k=rsa; p=${selector}` };
  }
  return {};
}
