import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { run, SYSTEM_ENV, until } from "../../lab/run.ts";
import {
  BASE_POLICY,
  deleteNode,
  nodes,
  setPolicy,
  startTailnet,
  stopTailnet,
  type Tailnet,
  type TailnetEndpoints,
} from "../../lab/tailnet/index.ts";
import { testsFor, grantsFor } from "../../lib/tailnet/grants.ts";
import { foreignParts, mergePolicy } from "../../lib/tailnet/policy-document.ts";
import { requireProgram } from "./toolchain.ts";

const base = readFileSync(BASE_POLICY, "utf8");
let folder: string;
let tailnet: Tailnet;
let endpoints: TailnetEndpoints;
let apiKey: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  for (const name of ["headscale", "tailscaled", "tailscale"]) addToPath(requireProgram(name));
  folder = mkdtempSync(join(tmpdir(), "tailnet-"));
  const [headscalePort, adapterPort, metricsPort, stunPort] = await freePorts(4);
  tailnet = {
    stateDir: folder,
    address: "127.0.0.1",
    headscalePort: headscalePort!,
    adapterPort: adapterPort!,
  };
  endpoints = await startTailnet({ ...tailnet, metricsPort: metricsPort!, stunPort: stunPort! });
  apiKey = readFileSync(endpoints.apiKeyFile, "utf8").trim();
});

afterAll(async () => {
  await Promise.all(
    started.map(
      (child) =>
        new Promise((resolve) =>
          child.exitCode === null && child.kill() ? child.once("exit", resolve) : resolve(0),
        ),
    ),
  );
  if (tailnet) await stopTailnet(tailnet);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  etag: string;
  text: string;
  json: Record<string, never> & {
    message?: string;
    data?: unknown;
    id?: string;
    key?: string;
    invalid?: boolean;
    keyType?: string;
  };
}

interface Sent {
  body?: string | object;
  headers?: Record<string, string>;
  key?: string | undefined;
}

async function api(
  method: string,
  path: string,
  { body, headers = {}, key = apiKey }: Sent = {},
): Promise<Answer> {
  const response = await fetch(`${endpoints.apiUrl}/api/v2/${path}`, {
    method,
    headers: {
      ...(key && { authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json =
    response.headers.get("content-type") === "application/json"
      ? (JSON.parse(text) as Answer["json"])
      : ({} as Answer["json"]);
  return { status: response.status, etag: response.headers.get("etag") ?? "", text, json };
}

const authKey = (create: object, more: object = {}) => ({
  capabilities: { devices: { create } },
  expirySeconds: 3600,
  ...more,
});

describe("the policy file", () => {
  test("the first policy is the owner's own, byte for byte, and comes with an ETag", async () => {
    const { status, text, etag } = await api("GET", "tailnet/-/acl");
    expect(status).toBe(200);
    expect(text).toBe(base);
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
  });

  test("a write with the ETag that was read is taken, with an old one it is refused with 412", async () => {
    const { etag } = await api("GET", "tailnet/-/acl");
    const merged = mergePolicy(base, { grants: [], tagOwners: { "tag:stalwart": [] } });
    const written = await api("POST", "tailnet/-/acl", { body: merged, headers: { "if-match": etag } });
    expect(written.status).toBe(200);
    expect(written.etag).not.toBe(etag);
    expect((await api("GET", "tailnet/-/acl")).text).toBe(merged);
    expect(foreignParts(merged)).toBe(base);

    const late = await api("POST", "tailnet/-/acl", { body: base, headers: { "if-match": etag } });
    expect(late).toMatchObject({ status: 412, json: { message: "precondition failed, invalid old hash" } });
    expect((await api("GET", "tailnet/-/acl")).text).toBe(merged);
  });

  test("`ts-default` protects every policy but the untouched default, which an empty text brings back", async () => {
    const { text } = await api("GET", "tailnet/-/acl");
    const protectedWrite = { body: text, headers: { "if-match": '"ts-default"' } };
    expect((await api("POST", "tailnet/-/acl", protectedWrite)).status).toBe(412);
    expect((await api("POST", "tailnet/-/acl", { body: "" })).text).toContain('"src": ["*"]');
    expect((await api("POST", "tailnet/-/acl", protectedWrite)).status).toBe(200);
    expect((await api("GET", "tailnet/-/acl")).text).toBe(text);
  });

  test.each([
    [
      "an unknown tag",
      '{"grants":[{"src":["tag:none"],"dst":["*"],"ip":["*"]}]}',
      'src=tag not found: "tag:none"',
    ],
    ["an unknown section", '{"grants":[],"ipsetz":{}}', 'unknown field: "ipsetz"'],
    ["no HuJSON", '{"grants":[', "hujson: line 1"],
    [
      "tests that no node answers for yet",
      '{"grants":[],"tagOwners":{"tag:db":[]},"tests":[{"src":"tag:db","accept":["tag:db:1"]}]}',
      "test(s) failed",
    ],
  ])("%s is refused with 400 and its reason, and the old policy stays", async (_, body, message) => {
    const before = (await api("GET", "tailnet/-/acl")).text;
    const answer = await api("POST", "tailnet/-/acl", { body });
    expect(answer.status).toBe(400);
    expect(answer.json.message).toContain(message);
    expect((await api("GET", "tailnet/-/acl")).text).toBe(before);
    expect(await api("POST", "tailnet/-/acl/validate", { body })).toMatchObject({
      status: 200,
      json: { message: answer.json.message },
    });
  });

  test("validating a good policy says nothing and changes nothing", async () => {
    const { text } = await api("GET", "tailnet/-/acl");
    expect(await api("POST", "tailnet/-/acl/validate", { body: base })).toMatchObject({
      status: 200,
      text: "{}",
    });
    expect((await api("GET", "tailnet/-/acl")).text).toBe(text);
  });
});

describe("keys", () => {
  test("a login key is shown once, known afterwards, and invalid once revoked", async () => {
    const made = await api("POST", "tailnet/-/keys", {
      body: authKey({ tags: ["tag:db"], reusable: true }, { description: "tailwart lab" }),
    });
    expect(made.json).toMatchObject({
      keyType: "auth",
      invalid: false,
      expirySeconds: 3600,
      description: "tailwart lab",
    });
    expect(made.json.key).toBeTruthy();
    const read = await api("GET", `tailnet/-/keys/${made.json.id}`);
    expect(read.json).toMatchObject({ id: made.json.id, invalid: false });
    expect(read.text).not.toContain(made.json.key);

    expect((await api("DELETE", `tailnet/-/keys/${made.json.id}`)).status).toBe(200);
    expect((await api("GET", `tailnet/-/keys/${made.json.id}`)).json.invalid).toBe(true);
    expect((await api("DELETE", `tailnet/-/keys/${made.json.id}`)).status).toBe(404);
    expect(await api("GET", "tailnet/-/keys/kNone")).toMatchObject({
      status: 404,
      json: { message: "key not found" },
    });
  });

  test.each([
    [
      "a tag without owners",
      authKey({ tags: ["tag:none"] }),
      "requested tags [tag:none] are invalid or not permitted",
    ],
    [
      "a lifetime beyond 90 days",
      authKey({ tags: ["tag:db"] }, { expirySeconds: 7_776_001 }),
      "expirySeconds",
    ],
    ["a long description", authKey({ tags: ["tag:db"] }, { description: "x".repeat(51) }), "description"],
    ["an OAuth client without tags", { keyType: "client", scopes: ["auth_keys"] }, "tags are required"],
    ["a list that is none", authKey({ tags: "tag:db" }), "tags must be a list"],
  ])("%s is refused with 400", async (_, body, message) => {
    const answer = await api("POST", "tailnet/-/keys", { body });
    expect(answer.status).toBe(400);
    expect(answer.json.message).toContain(message);
  });

  test("an OAuth client's token makes keys with its own tags, and nothing else", async () => {
    const client = await api("POST", "tailnet/-/keys", {
      body: { keyType: "client", scopes: ["auth_keys"], tags: ["tag:db"] },
    });
    expect(client.json.key).toMatch(/^tskey-client-/);
    const form = new URLSearchParams({
      client_id: "any",
      client_secret: client.json.key!,
      grant_type: "client_credentials",
    });
    const token = async () => {
      const response = await fetch(`${endpoints.apiUrl}/api/v2/oauth/token`, { method: "POST", body: form });
      return { status: response.status, ...((await response.json()) as { access_token?: string }) };
    };
    const { access_token: key } = await token();
    expect((await api("POST", "tailnet/-/keys", { key, body: authKey({ tags: ["tag:db"] }) })).status).toBe(
      200,
    );
    expect((await api("POST", "tailnet/-/keys", { key, body: authKey({ tags: ["tag:mail"] }) })).status).toBe(
      400,
    );
    expect((await api("GET", "tailnet/-/acl", { key })).status).toBe(403);
    expect((await api("GET", "tailnet/-/devices", { key })).status).toBe(403);

    expect((await api("DELETE", `tailnet/-/keys/${client.json.id}`)).status).toBe(200);
    expect((await api("POST", "tailnet/-/keys", { key, body: authKey({ tags: ["tag:db"] }) })).status).toBe(
      401,
    );
    expect((await token()).status).toBe(401);
  });

  test("no secret is kept in the adapter's files, and none is logged", async () => {
    const { json } = await api("POST", "tailnet/-/keys", {
      body: { keyType: "client", scopes: ["auth_keys"], tags: ["tag:db"] },
    });
    const login = await api("POST", "tailnet/-/keys", { body: authKey({ tags: ["tag:db"] }) });
    for (const file of ["adapter-state.json", "adapter.log", "headscale.log"]) {
      const text = readFileSync(join(folder, file), "utf8");
      expect(text.length).toBeGreaterThan(0);
      for (const secret of [json.key!, login.json.key!, apiKey]) expect(text).not.toContain(secret);
    }
  });
});

describe("who may ask what", () => {
  test("no key and a wrong key are refused with 401", async () => {
    expect(await api("GET", "tailnet/-/acl", { key: "" })).toMatchObject({
      status: 401,
      json: { message: "API token invalid" },
    });
    expect((await api("GET", "tailnet/-/acl", { key: "tskey-api-wrong" })).status).toBe(401);
    expect(
      (await api("GET", "tailnet/-/acl", { key: "", headers: { authorization: `Bearer ${apiKey}` } })).status,
    ).toBe(200);
  });

  test("another tailnet, another path and another method are refused in JSON", async () => {
    expect(await api("GET", "tailnet/example.org/acl")).toMatchObject({
      status: 404,
      json: { message: "not found" },
    });
    expect((await api("GET", "tailnet/tail.test/acl")).status).toBe(200);
    expect((await api("GET", "tailnet/-/webhooks")).status).toBe(404);
    expect((await api("PUT", "tailnet/-/acl")).status).toBe(405);
    expect((await api("POST", "tailnet/-/dns/preferences", { body: { magicDNS: false } })).status).toBe(400);
  });
});

describe("a real node that logs in with an OAuth client's secret", () => {
  const flow = { from: "tag:db", to: "tag:mail", proto: "tcp" as const, port: 587 };

  test(
    "is tagged and ephemeral, is found by name, and its tests are judged",
    { timeout: 90_000 },
    async () => {
      await setPolicy(tailnet, base);
      await joinTailnet("db-1", "tag:db");
      await joinTailnet("mail-1", "tag:mail");
      const { devices } = (await api("GET", "tailnet/-/devices?hostname=db-1")).json as unknown as {
        devices: unknown[];
      };
      expect(devices).toEqual([
        expect.objectContaining({
          name: "db-1.tail.test",
          tags: ["tag:db"],
          isEphemeral: true,
          connectedToControl: true,
        }),
      ]);

      const closed = await api("POST", "tailnet/-/acl/validate", { body: testsFor([flow]) });
      expect(closed.json).toEqual({
        message: "test(s) failed",
        data: [{ user: "tag:db", errors: ['address "tag:mail:587": want: Accept, got: Drop'] }],
      });
      await setPolicy(
        tailnet,
        mergePolicy(base, { grants: grantsFor([flow]), tagOwners: {}, tests: testsFor([flow]) }),
      );
      expect((await api("POST", "tailnet/-/acl/validate", { body: testsFor([flow]) })).text).toBe("{}");
    },
  );

  test("is gone once deleted", async () => {
    const found = (await nodes(tailnet)).find(({ hostname }) => hostname === "db-1");
    await deleteNode(tailnet, found!.id);
    expect((await nodes(tailnet)).map(({ hostname }) => hostname)).toEqual(["mail-1"]);
    expect((await api("GET", `device/${found!.id}`)).status).toBe(404);
  });
});

/**
 * Starts a tailscaled without a network device and logs it in, as containerboot does with an OAuth
 * secret.
 */
async function joinTailnet(hostname: string, tag: string): Promise<void> {
  const client = await api("POST", "tailnet/-/keys", {
    body: { keyType: "client", scopes: ["auth_keys"], tags: [tag] },
  });
  const socket = join(folder, `${hostname}.sock`);
  const options = [
    "--tun=userspace-networking",
    "--state=mem:",
    `--statedir=${join(folder, hostname)}`,
    `--socket=${socket}`,
    "--port=0",
  ];
  const env = { ...SYSTEM_ENV, ...endpoints.nodeEnvironment };
  started.push(spawn(requireProgram("tailscaled"), options, { env, stdio: "ignore" }));
  const attributes = new URLSearchParams({
    ephemeral: "true",
    preauthorized: "true",
    baseURL: endpoints.apiUrl,
  });
  const secret = `${client.json.key}?${attributes.toString()}`;
  const up = [
    "up",
    `--login-server=${endpoints.loginServer}`,
    `--hostname=${hostname}`,
    `--advertise-tags=${tag}`,
    `--auth-key=${secret}`,
    "--timeout=20s",
  ];
  await run(requireProgram("tailscale"), [`--socket=${socket}`, ...up], { env, timeout: 30_000 });
  await until(
    `${hostname} is online`,
    async () => (await nodes(tailnet)).some((node) => node.hostname === hostname && node.connectedToControl),
    15_000,
  );
}

function addToPath(program: string): void {
  process.env["PATH"] = [dirname(program), process.env["PATH"]].join(delimiter);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
