import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractConfig from "dependency-cruiser/config-utl/extract-depcruise-config";
import { expect, test } from "vitest";

const { forbidden, options } = await extractConfig(
  join(import.meta.dirname, "../../.dependency-cruiser.mjs"),
);

/** Who must not import whom, by the name of the rule that says so. */
const UP: [rule: string, from: string, to: string][] = [
  ["lib-stands-on-what-is-below", "lib/names.ts", "config/load.ts"],
  ["lib-stands-on-what-is-below", "lib/flows.ts", "index.ts"],
  ["config-stands-on-what-is-below", "config/schema.ts", "components/Edge.ts"],
  ["provider-stands-on-what-is-below", "provider/index.ts", "config/schema.ts"],
  ["verify-stands-on-what-is-below", "verify/main.ts", "provider/index.ts"],
  ["policies-stands-on-what-is-below", "policies/pack.ts", "components/Edge.ts"],
  ["components-stands-on-what-is-below", "components/Node.ts", "policies/pack.ts"],
  ["tools-stands-on-what-is-below", "tools/run.ts", "lib/run.ts"],
  ["lab-stands-on-what-is-below", "lab/up.ts", "cli/up.ts"],
  ["program-alone", "components/Volume.ts", "tools/run.ts"],
  ["no-test", "cli/up.ts", "test/lab.ts"],
  ["plugin-below", "provider/plugin/log.ts", "provider/server/pipe.ts"],
  ["server-below", "provider/server/probe.ts", "provider/keys/api.ts"],
  ["keys-apart", "provider/keys/plan.ts", "provider/registry/jmap.ts"],
  ["registry-apart", "lib/desired-state/registry/objects.ts", "lib/desired-state/keys/keys.ts"],
  ["framework-below", "policies/framework/policy.ts", "policies/facts/docker.ts"],
  ["check-on-top", "policies/facts/caddy.ts", "policies/check/located.ts"],
  ["facts-below", "policies/facts/caddy.ts", "policies/rules/pinned.ts"],
  ["rule-apart", "policies/rules/alone.ts", "policies/rules/pinned.ts"],
  ["policies-share-no-intent", "policies/rules/granted.ts", "lib/tailnet/flows.ts"],
];

/** What the rule says of a tree in which each file imports a type of the other. */
async function violations(imports: readonly (readonly [from: string, to: string])[]) {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  try {
    const sources = new Map<string, string>();
    for (const [from, to] of imports) {
      const path = relative(dirname(from), to);
      const line = `import type { T } from "${path.startsWith(".") ? path : `./${path}`}";\n`;
      sources.set(from, `${line}${sources.get(from) ?? "export type { T };\n"}`);
      sources.set(to, sources.get(to) ?? "export type T = 1;\n");
    }
    for (const [file, text] of sources) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    const { tsConfig: _, ...rest } = options ?? {};
    const ruleSet = { forbidden: forbidden ?? [] };
    const { output } = await cruise(["."], { ...rest, baseDir: root, validate: true, ruleSet });
    return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => [rule.name, from, to]);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("an import that runs up is refused, also one of a type, and by each layer's own rule", async () => {
  const found = await violations(UP.map(([, from, to]) => [from, to] as const));
  for (const row of UP) expect(found).toContainEqual(row);
  expect(new Set(found.map(([rule]) => rule))).toEqual(new Set(UP.map(([rule]) => rule)));
});

test("two files that import each other are refused", async () => {
  const circle = [
    ["lib/a.ts", "lib/b.ts"],
    ["lib/b.ts", "lib/a.ts"],
  ] as const;
  expect(new Set((await violations(circle)).map(([rule]) => rule))).toEqual(new Set(["no-circle"]));
});

test("an import that runs down is taken", async () => {
  const down = [
    ["config/load.ts", "lib/errors.ts"],
    ["policies/rules/pinned.ts", "policies/facts/docker.ts"],
    ["provider/keys/api.ts", "provider/server/pipe.ts"],
  ] as const;
  expect(await violations(down)).toEqual([]);
});
