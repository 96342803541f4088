import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { adminNotPublic } from "../../policies/rules/admin-not-public.ts";
import { containerLeastPrivilege } from "../../policies/rules/container-least-privilege.ts";
import { edgeSendsProxyProtocol } from "../../policies/rules/edge-sends-proxy-protocol.ts";
import { imagePinnedByDigest } from "../../policies/rules/image-pinned-by-digest.ts";
import { noHardcodedTailnetIp } from "../../policies/rules/no-hardcoded-tailnet-ip.ts";
import { secretsNotInPlainSight } from "../../policies/rules/secrets-not-in-plain-sight.ts";
import { tailnetFlowsGranted } from "../../policies/rules/tailnet-flows-granted.ts";
import type { AnyPolicy } from "../../policies/rules/index.ts";
import { resourcesIn } from "./compose-reader.ts";
import { runPolicy, runStackPolicy } from "./harness.ts";

/** Silence over the corpus says something only if the reader leaves out nothing that is judged. */
const dir = mkdtempSync(join(tmpdir(), "compose-reader-"));
// In a repository the secrets of an env file count, unless git ignores it.
execFileSync("git", ["init", "--quiet", dir]);
afterAll(() => rmSync(dir, { recursive: true }));

/** What the policy says of a service whose text is this, in a folder with these files. */
async function refusals(policy: AnyPolicy, service: string, files: Record<string, string> = {}) {
  writeFileSync(join(dir, "compose.yaml"), `services:\n  app:\n${service.replace(/^/gm, "    ")}\n`);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  const resources = resourcesIn(dir);
  const one = policy.judgeResource ? [await runPolicy(policy, resources.at(0)!)] : [];
  const all = policy.judgeStack ? [await runStackPolicy(policy, resources)] : [];
  return [...one, ...all].flatMap(({ violations }) => violations);
}

const LITERAL = "kR7w0qZ2mXcT";
const CADDYFILE = "{\n\tlayer4 {\n\t\t:25 {\n\t\t\troute {\n\t\t\t\tproxy mail:25\n\t\t\t}\n\t\t}\n\t}\n}\n";
const CLOSED =
  '{ "tagOwners": { "tag:a": [] }, "grants": [{ "src": ["tag:b"], "dst": ["tag:a"], "ip": ["*"] }] }';

test.each([
  ["an image by its tag", imagePinnedByDigest, "image: redis:8"],
  ["a privileged container", containerLeastPrivilege, "privileged: true"],
  ["a capability", containerLeastPrivilege, "cap_add: [SYS_ADMIN]"],
  ["root", containerLeastPrivilege, 'user: "0"'],
  ["a device", containerLeastPrivilege, "devices: [/dev/sda]"],
  ["a protection turned off", containerLeastPrivilege, "security_opt: [seccomp=unconfined]"],
  ["the host's processes", containerLeastPrivilege, "pid: host"],
  ["the engine's socket", containerLeastPrivilege, "volumes: [/var/run/docker.sock:/s:ro]"],
  [
    "the socket in words",
    containerLeastPrivilege,
    "volumes: [{ type: bind, source: /run/docker.sock, target: /s }]",
  ],
  ["a secret in a map", secretsNotInPlainSight, `environment: { DB_PASSWORD: ${LITERAL} }`],
  ["a secret in a list", secretsNotInPlainSight, `environment: [DB_PASSWORD=${LITERAL}]`],
  [
    "a secret as a default",
    secretsNotInPlainSight,
    `environment: { DB_PASSWORD: "\${DB_PASSWORD:-${LITERAL}}" }`,
  ],
  ["a secret on a command line", secretsNotInPlainSight, `command: backup --password ${LITERAL}`],
  ["a secret in a label", secretsNotInPlainSight, `labels: { app.token: ${LITERAL} }`],
  ["a node's address", noHardcodedTailnetIp, "environment: [DB_HOST=100.101.102.103]"],
  ["an address in a health check", noHardcodedTailnetIp, "healthcheck: { test: nc -z 100.101.102.103 5432 }"],
  ["a published port", adminNotPublic, 'image: stalwartlabs/stalwart:v0.15.5\nports: ["8080:8080"]'],
  [
    "a published port in words",
    adminNotPublic,
    "image: stalwart\nports: [{ published: 8080, target: 8080 }]",
  ],
])("the reader shows the policies %s", async (_, policy, service) => {
  expect(await refusals(policy, service)).toHaveLength(1);
});

test("the reader shows the policies what stands in the files beside it", async () => {
  const env = { "app.env": `DB_PASSWORD=${LITERAL}\n` };
  expect(await refusals(secretsNotInPlainSight, "env_file: app.env", env)).toHaveLength(1);
  const caddy = "image: caddy:2\nvolumes: [./Caddyfile:/etc/caddy/Caddyfile:ro]";
  expect(await refusals(edgeSendsProxyProtocol, caddy, { Caddyfile: CADDYFILE })).toHaveLength(1);
  const node =
    "environment:\n  TS_EXTRA_ARGS: --advertise-tags=tag:a\n  SMTP_HOST: relay.tail1.ts.net\n  SMTP_PORT: 587";
  expect(await refusals(tailnetFlowsGranted, node, { "policy.hujson": CLOSED })).toHaveLength(1);
});

test("the reader shows what a service takes over, and what a variable holds", async () => {
  const files = { "base.yaml": "services:\n  base:\n    privileged: true\n", ".env": "TAG=redis:8\n" };
  const service = "extends: { file: base.yaml, service: base }\nimage: ${TAG}";
  expect(await refusals(containerLeastPrivilege, service, files)).toHaveLength(1);
  expect(await refusals(imagePinnedByDigest, service, files)).toHaveLength(1);
});
