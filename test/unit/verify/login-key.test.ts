import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { renewLoginKey } from "../../../verify/login-key.ts";
import { apiAccess } from "../../../verify/tailscale-api.ts";
import { type Answers, startApi } from "./api-server.ts";

const OWN = "100.64.0.7";
const ORDER = {
  hostname: "stalwart",
  tag: "tag:stalwart",
  dockerHost: "unix:///x",
  container: "ts",
};
const DEVICE = {
  nodeId: "n2CNTRL",
  name: "stalwart.tail.test",
  hostname: "stalwart",
  addresses: [OWN],
  tags: ["tag:stalwart"],
  connectedToControl: true,
};

/** A docker whose sidecar has an address once it was given a key and restarted. */
const DOCKER = `#!/bin/sh
cd "$STATE" || exit 9
echo "$*" >> calls
case "$*" in
*inspect*tailwart.login-key.id*) echo "$LABEL" ;;
*"tailscale ip"*) [ -e restarted ] && echo ${OWN} ;;
*" cp - ts:/etc/tailwart") tar -x -f - && mv authkey key ;;
*restart*) [ -e key ] && : > restarted ;;
esac
`;

const INVALID = { body: { id: "kOLD", keyType: "auth", invalid: true } };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-key-"));
  writeFileSync(join(folder, "docker"), DOCKER);
  chmodSync(join(folder, "docker"), 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
  vi.stubEnv("STATE", folder);
  vi.stubEnv("LABEL", "kOLD");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const read = (name: string) =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "";

/** An API that says this of the old key. */
function startKeys(old: Answers[string] | undefined) {
  return startApi({
    "GET /api/v2/tailnet/-/devices": { body: { devices: [DEVICE] } },
    "POST /api/v2/tailnet/-/keys": { body: { id: "kNEW", key: "tskey-auth-new" } },
    ...(old && { "GET /api/v2/tailnet/-/keys/kOLD": old }),
  });
}

async function renew(old: Answers[string] | undefined) {
  const api = await startKeys(old);
  const access = await apiAccess({ TAILSCALE_BASE_URL: api.url, TAILSCALE_API_KEY: "k" });
  const renewed = await renewLoginKey(access, ORDER);
  await api.close();
  return { renewed, asked: api.asked };
}

test.each([
  ["has expired or is spent", INVALID],
  ["is gone", undefined],
])("a login key that %s is followed by another for one node with its tag", async (_, old) => {
  const { renewed, asked } = await renew(old);
  expect(renewed).toBe(true);
  expect(JSON.parse(asked.find(({ method }) => method === "POST")?.body ?? "")).toMatchObject({
    capabilities: {
      devices: {
        create: { ephemeral: false, preauthorized: true, reusable: false, tags: ["tag:stalwart"] },
      },
    },
    expirySeconds: 3600,
  });
  expect(read("key")).toBe("tskey-auth-new");
  expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o400);
  // It is in no argument list, and the container's pause between two failed starts is cut short.
  expect(read("calls")).not.toContain("tskey-auth-new");
  expect(read("calls")).toMatch(/ restart --time 1 ts\n/);
});

test("a container that takes no archive fails the deploy with Docker's words, and is not restarted", async () => {
  writeFileSync(join(folder, "docker"), DOCKER.replace(/tar -x.*/, 'echo "no space" >&2; exit 1 ;;'));
  await expect(renew(INVALID)).rejects.toThrow(/ts takes no new login key: no space/);
  expect(read("calls")).not.toContain("restart");
});

test("a login key that is still good is left alone: the sidecar waits for something else", async () => {
  const { renewed, asked } = await renew({ body: { id: "kOLD", keyType: "auth" } });
  expect([renewed, asked.map(({ method }) => method)]).toEqual([false, ["GET"]]);
  expect(read("calls")).not.toMatch(/restart|exec/);
});

test("a node that makes its own keys gets none", async () => {
  vi.stubEnv("LABEL", "");
  expect(await renew(INVALID)).toEqual({ renewed: false, asked: [] });
});

test("a deploy whose sidecar is not logged in looks at its key, and ends once it is", async () => {
  const api = await startKeys(INVALID);
  const env = { ...process.env, TAILSCALE_BASE_URL: api.url, TAILSCALE_API_KEY: "k" };
  const options = { stdin: JSON.stringify(ORDER), env, deadline: 19_000 };
  const { status, stdout } = await runCommand(process.execPath, ["verify/claim-name.ts"], options);
  await api.close();
  expect(status).toBe(0);
  expect(stdout).toContain("it was given a new login key, since its first was spent or had expired");
});
