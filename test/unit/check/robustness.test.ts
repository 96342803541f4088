import fc from "fast-check";
import { stringify } from "yaml";
import { expect, test } from "vitest";

import { checkFiles } from "./folder.ts";

/** Keys of Compose's, with whatever below: people write files by hand. */
const KEYS = [
  ...["image", "build", "environment", "env_file", "ports", "volumes", "networks", "network_mode", "labels"],
  ...[
    "healthcheck",
    "command",
    "entrypoint",
    "extends",
    "profiles",
    "secrets",
    "configs",
    "depends_on",
    "deploy",
  ],
  ...[
    "devices",
    "cap_add",
    "extra_hosts",
    "dns",
    "restart",
    "user",
    "privileged",
    "sysctls",
    "test",
    "source",
  ],
  ...["target", "file", "path", "service", "type", "external", "name"],
];
const TEXTS = [
  "",
  "a",
  "a:b",
  "a:b:c",
  "${A",
  "${A:-${B}}",
  "$$",
  "service:x",
  "container:",
  "./x",
  "~",
  "[::1]:1:2",
  "5-1:3",
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...TEXTS),
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("any"), { maxKeys: 4 }),
  ),
})).any;

const document = fc.record({
  services: fc.oneof(value, fc.dictionary(fc.constantFrom("x", "y"), value, { minKeys: 1 })),
  volumes: value,
  networks: value,
  secrets: value,
  configs: value,
  include: fc.constantFrom([], ["gone.yml"], ["compose.yml"], "x"),
});

test("no compose file makes the check fall over, however it is written", async () => {
  await fc.assert(
    fc.asyncProperty(document, async (content) => {
      const { exitCode } = await checkFiles({ "compose.yml": stringify(content) });
      expect([0, 1]).toContain(exitCode);
    }),
    { numRuns: 300 },
  );
}, 60_000);

test.each([
  ["compose.yml", "services:\n  a: &a\n    <<: *a\n    image: x\n"],
  ["compose.yml", "services:\n  a: &a [*a]\n"],
  ["compose.yml", `services:\n  a:\n    image: ${"${A:-".repeat(3000)}\n`],
  ["compose.yml", "services:\n\ta:\n"],
  ["compose.yml", "services: {a: {image: x}}\n---\nservices: {b: {image: y}}\n"],
  ["Caddyfile", "{".repeat(5000)],
  ["policy.hujson", `{"grants": ${"[".repeat(20_000)}`],
  ["config.toml", "[server.listener.x]\n[storage]\na.b = 1\na.b = 2\n"],
  ["plan.ndjson", '{"@type":"update","object":"A","value":[]}\n{"@type":"create","object":"A"}\n'],
  [
    "state.json",
    '{"version": 3, "deployment": {"resources": [{"urn": 1}, null, {"urn": "urn:pulumi:a::b::c::d"}]}}',
  ],
])("%s with %.40j is told in words, or judged", async (name, text) => {
  const { exitCode, problems } = await checkFiles({ [name]: text });
  expect([0, 1]).toContain(exitCode);
  for (const { line, message } of problems) expect([line > 0, message]).toEqual([true, expect.any(String)]);
});
