import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AdapterConfig } from "./adapter/main.ts";
import {
  ensureUser,
  headscale,
  headscaleKeyFile,
  keptKey,
  startHeadscale,
  stopHeadscale,
  type HeadscaleOptions,
} from "./headscale.ts";
import { startDaemon, stopDaemon } from "../daemon.ts";
import { request } from "./request.ts";

/**
 * Where the lab's tailnet is. Plain data, so that every function below works from another process
 * as well.
 */
export interface Tailnet {
  stateDir: string;
  /**
   * headscale's and the adapter's address: a private or loopback IPv4 literal (see
   * HeadscaleOptions.address).
   */
  address: string;
  /** The network namespace that both run in. Default: the caller's own */
  netns?: string;
  /** Default: 8080 */
  headscalePort?: number;
  /** Default: 8081 */
  adapterPort?: number;
}

type TailnetOptions = Tailnet & Pick<HeadscaleOptions, "stunPort" | "metricsPort" | "domain">;

/** headscale's users, who are in the lab's base policy. The first owns nodes without tags. */
const USERS = ["ann", "ben"] as const;

/** What programs outside need to know. */
export interface TailnetEndpoints {
  /** `--login-server` of nodes. */
  loginServer: string;
  /** `tailscale:baseUrl`, and `baseURL` of an OAuth secret. */
  apiUrl: string;
  /** File with the API key that stands in for production's TAILSCALE_API_KEY. */
  apiKeyFile: string;
  domain: string;
  /**
   * What every node of the lab needs in its environment: plain http to the relay, and nothing sent
   * to the vendor.
   */
  nodeEnvironment: Record<string, string>;
}

/** A node, in the words of the Tailscale API. */
export interface TailnetNode {
  id: string;
  /** The MagicDNS name in full. */
  name: string;
  hostname: string;
  addresses: string[];
  tags?: string[];
  isEphemeral: boolean;
  connectedToControl: boolean;
}

const ADAPTER = "adapter";
/** The user's own policy file of the lab. */
export const BASE_POLICY = fileURLToPath(new URL("base.hujson", import.meta.url));

/**
 * Starts headscale and the adapter, or finds them running, and returns how to reach them. On the
 * first start the policy is the lab owner's own (base.hujson): what a user has before tailwart.
 */
export async function startTailnet(options: TailnetOptions): Promise<TailnetEndpoints> {
  const { stateDir, netns, domain = "tail.test" } = options;
  const [headscalePort, adapterPort] = portsOf(options);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const { headscalePort: _headscale, adapterPort: _adapter, ...headscaleOptions } = options;
  await startHeadscale({ ...headscaleOptions, port: headscalePort, domain });
  for (const user of USERS) await ensureUser(stateDir, user);

  const newKey = () => `tskey-api-${randomBytes(24).toString("hex")}`;
  const apiKeyFile = await keptKey(join(stateDir, "api.key"), newKey);
  const config: AdapterConfig = {
    listen: { host: "0.0.0.0", port: adapterPort },
    headscale: `http://127.0.0.1:${headscalePort}`,
    headscaleKeyFile: await headscaleKeyFile(stateDir),
    apiKeyFile,
    stateFile: join(stateDir, "adapter-state.json"),
    domain,
    user: USERS[0],
  };
  const configFile = join(stateDir, "adapter.json");
  await writeFile(configFile, JSON.stringify(config, null, 2), { mode: 0o600 });
  const main = fileURLToPath(new URL("adapter/main.ts", import.meta.url));
  const command = [process.execPath, main, configFile];
  const answers = async () => {
    const settings = await callApi(options, "GET", "tailnet/-/settings").catch(() => undefined);
    return settings !== undefined;
  };
  await startDaemon({ name: ADAPTER, stateDir, netns, command }, answers, 15_000);
  await setPolicyIfUntouched(options, await readFile(BASE_POLICY, "utf8"));
  return endpointsOf(options, domain);
}

/** Stops both. State stays in its folder. */
export async function stopTailnet({ stateDir }: Pick<Tailnet, "stateDir">): Promise<void> {
  await stopDaemon({ name: ADAPTER, stateDir });
  await stopHeadscale(stateDir);
}

/** How a started tailnet is reached. */
export function endpointsOf(tailnet: Tailnet, domain = "tail.test"): TailnetEndpoints {
  return {
    loginServer: `http://${tailnet.address}:${portsOf(tailnet)[0]}`,
    apiUrl: apiUrl(tailnet),
    apiKeyFile: join(tailnet.stateDir, "api.key"),
    domain,
    nodeEnvironment: { TS_DEBUG_USE_DERP_HTTP: "1", TS_NO_LOGS_NO_SUPPORT: "true" },
  };
}

/**
 * A login key for a node of the lab's world. Its tags must have owners in the policy.
 *
 * @example await createKey(tailnet, ["tag:db"])
 */
export async function createKey(tailnet: Tailnet, tags: string[]): Promise<string> {
  const create = { tags, ephemeral: false, reusable: false, preauthorized: true };
  const capabilities = { devices: { create } };
  const { key } = await callApi<{ key: string }>(
    tailnet,
    "POST",
    "tailnet/-/keys",
    JSON.stringify({ capabilities, expirySeconds: 86_400 }),
  );
  return key;
}

/** The policy file's text as the control server has it. */
export async function getPolicy(tailnet: Tailnet): Promise<string> {
  return callApi<string>(tailnet, "GET", "tailnet/-/acl");
}

/** Replaces the policy file whole, as a person in the admin console would. */
export async function setPolicy(tailnet: Tailnet, text: string): Promise<void> {
  await callApi(tailnet, "POST", "tailnet/-/acl", text);
}

/** All nodes, with their MagicDNS names and addresses. */
export async function nodes(tailnet: Tailnet): Promise<TailnetNode[]> {
  return (await callApi<{ devices: TailnetNode[] }>(tailnet, "GET", "tailnet/-/devices")).devices;
}

/** Deletes a node by its id. */
export async function deleteNode(tailnet: Tailnet, id: string): Promise<void> {
  await callApi(tailnet, "DELETE", `device/${id}`);
}

/** Ends a node's key, as a person in the admin console would: it must log in anew. */
export async function expireNode(tailnet: Tailnet, id: string): Promise<void> {
  await headscale(tailnet.stateDir, "nodes", "expire", "--identifier", id, "--force");
}

async function setPolicyIfUntouched(tailnet: Tailnet, text: string): Promise<void> {
  await callApi(tailnet, "POST", "tailnet/-/acl", text, { "if-match": '"ts-default"' }).catch(
    (error: unknown) => {
      if (!String(error).includes("(412)")) throw error;
    },
  );
}

/** One request to the adapter, with the owner's API key. */
async function callApi<T>(
  tailnet: Tailnet,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<T> {
  const key = (await readFile(join(tailnet.stateDir, "api.key"), "utf8")).trim();
  const authorization = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
  const url = `${apiUrl(tailnet)}/api/v2/${path}`;
  const order = { url, method, headers: { ...headers, authorization }, ...(body !== undefined && { body }) };
  const { status, text } = await request(tailnet.netns, order);
  if (status >= 300) throw new Error(`${method} ${path}: ${text} (${status})`);
  return (path.endsWith("/acl") ? text : JSON.parse(text || "{}")) as T;
}

function apiUrl(tailnet: Tailnet): string {
  return `http://${tailnet.address}:${portsOf(tailnet)[1]}`;
}

function portsOf({ headscalePort = 8080, adapterPort = 8081 }: Tailnet): [number, number] {
  return [headscalePort, adapterPort];
}
