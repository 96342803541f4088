import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { caddyConfig, type EdgeInputs } from "../../lib/caddy/config.ts";
import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { MAIL_SERVICES } from "../../lib/mail-services.ts";
import { requireProgram } from "./toolchain.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-caddy-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the toolchain's Caddy, which has layer4, says of a config. */
function validate(config: object): Promise<{ code: number; output: string }> {
  const file = join(folder, "caddy.json");
  writeFileSync(file, JSON.stringify(config));
  const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return new Promise((resolve) =>
    execFile(
      requireProgram("caddy"),
      ["validate", "--config", file],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    ),
  );
}

const all: EdgeInputs = {
  services: Object.values(MAIL_SERVICES),
  upstreamHost: "stalwart.tail7b1641.ts.net",
  passthrough: passthroughNames("mail.example.org", [{ name: "example.org" }]),
  sites: [{ host: "www.example.org", upstream: "127.0.0.1:8000" }, { host: "blog.example.org" }],
  certificates: "internal",
};

test.each([
  ["all services and two sites", all],
  ["certificates of a public CA", { ...all, certificates: "acme" as const }],
  ["no site of its own", { ...all, sites: [] }],
  ["mail ports only", { ...all, services: [MAIL_SERVICES.smtp, MAIL_SERVICES.imaps], sites: [] }],
  ["another web server beside it", { ...all, fallback: { to: "127.0.0.1:8443", proxyProtocol: true } }],
  [
    "another web server alone",
    { ...all, services: [], sites: [], fallback: { to: "127.0.0.1:8443", proxyProtocol: false } },
  ],
  [
    "another web server and a public CA",
    { ...all, certificates: "acme" as const, fallback: { to: "web.example.org:8443", proxyProtocol: false } },
  ],
  ["sites without https for Stalwart", { ...all, services: [MAIL_SERVICES.smtp] }],
])("Caddy accepts the edge's config with %s", async (_, inputs) => {
  const { code, output } = await validate(caddyConfig(inputs));
  expect(output).toContain("Valid configuration");
  expect(code).toBe(0);
});

test("Caddy refuses a config with a handler that it does not have, so acceptance means something", async () => {
  const config = JSON.stringify(caddyConfig(all)).replaceAll('"handler":"proxy"', '"handler":"proxies"');
  expect(await validate(JSON.parse(config) as object)).toMatchObject({
    code: 1,
    output: expect.stringContaining("layer4.handlers.proxies"),
  });
});
