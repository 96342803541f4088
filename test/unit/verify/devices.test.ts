import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { hasName, isStale, namesakes } from "../../../verify/devices.ts";
import { startApi } from "./api-server.ts";

const OWN = "100.64.0.9";
const order = {
  hostname: "stalwart",
  tag: "tag:stalwart",
  dockerHost: "unix:///x.sock",
  container: "sidecar",
};
const offline = {
  nodeId: "n1CNTRL",
  name: "stalwart.tail.test",
  hostname: "stalwart",
  addresses: ["100.64.0.4"],
  tags: ["tag:other", "tag:stalwart"],
  connectedToControl: false,
};
const online = {
  ...offline,
  nodeId: "n2CNTRL",
  name: "stalwart-1.tail.test",
  addresses: [OWN, "fd7a:115c:a1e0::9"],
  connectedToControl: true,
};
const { connectedToControl: _c, ...silent } = offline;
const { tags: _t, ...untagged } = offline;

describe("a device holds our node's name", () => {
  test("when it has our host name and our tag, and another address", () => {
    expect(namesakes([offline, online], OWN, order)).toEqual([offline]);
  });

  test.each([
    ["our own node", online],
    ["one with another tag", { ...offline, tags: ["tag:db"] }],
    ["one without a tag: somebody's own machine", untagged],
    ["one with another host name", { ...offline, hostname: "stalwart-2" }],
  ])("but not %s", (_, device) => {
    expect(namesakes([device], OWN, order)).toEqual([]);
  });

  test("and may be removed only when it is surely offline", () => {
    expect(isStale(offline)).toBe(true);
    expect(isStale(silent)).toBe(false);
    expect(isStale(online)).toBe(false);
  });

  test("a suffix makes it another name", () => {
    expect(hasName(offline, "stalwart")).toBe(true);
    expect(hasName(online, "stalwart")).toBe(false);
  });
});

describe("node verify/claim-name.ts", () => {
  // The fake docker knows one answer: the sidecar's own address.
  const folder = mkdtempSync(join(tmpdir(), "tailwart-fake-docker-"));
  const fake = join(folder, "docker");
  writeFileSync(fake, `#!/bin/sh\necho ${OWN}\n`);
  chmodSync(fake, 0o755);
  afterAll(() => rmSync(folder, { recursive: true }));

  async function claim(devices: object[]) {
    const api = await startApi({
      "GET /api/v2/tailnet/-/devices": { body: { devices } },
      "DELETE /api/v2/device/n1CNTRL": { body: "" },
      "POST /api/v2/device/n2CNTRL/name": { body: "" },
    });
    const path = `${folder}${delimiter}${process.env["PATH"]}`;
    const env = { ...process.env, PATH: path, TAILSCALE_BASE_URL: api.url, TAILSCALE_API_KEY: "k" };
    const options = { stdin: JSON.stringify(order), env, deadline: 15_000 };
    const run = await runCommand(process.execPath, ["verify/claim-name.ts"], options);
    await api.close();
    return { ...run, asked: api.asked.map(({ method, path: asked }) => `${method} ${asked}`) };
  }

  test("removes the offline node first, then gives the new one its name", async () => {
    const { status, stdout, asked } = await claim([online, offline]);
    expect(status).toBe(0);
    expect(asked).toEqual([
      "GET /api/v2/tailnet/-/devices",
      "DELETE /api/v2/device/n1CNTRL",
      "POST /api/v2/device/n2CNTRL/name",
    ]);
    expect(stdout).toContain("removed, offline: stalwart.tail.test");
  });

  test("changes nothing where the node has its name already", async () => {
    const { status, asked } = await claim([{ ...online, name: "stalwart.tail.test" }]);
    expect([status, asked.length]).toEqual([0, 1]);
  });

  test("fails the deploy with a sentence when the API refuses", async () => {
    const { status, stderr } = await claim([online, { ...offline, nodeId: "n9CNTRL" }]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^✗ the Tailscale API answers device\/n9CNTRL with HTTP 404/);
  });
});
