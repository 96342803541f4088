import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

const STARTUP = join(import.meta.dirname, "..", "..", "..", "lib", "startup.mjs");
const cache = mkdtempSync(join(tmpdir(), "tailwart-startup-"));
afterAll(() => rmSync(cache, { recursive: true }));

/** Runs a program that has prepared its start, and returns the last line that it prints. */
function run(program: string): string {
  const text = `import ${JSON.stringify(STARTUP)}; const pulumi = await import("@pulumi/pulumi"); ${program}`;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const options = {
    encoding: "utf8",
    env: { ...env, TAILWART_CACHE: cache },
    cwd: join(STARTUP, ".."),
  } as const;
  return execFileSync(process.execPath, ["--input-type=module", "-e", text], options).trim();
}

describe("the prepared start", () => {
  const isLoaded = (part: string) =>
    `Object.keys((await import("node:module")).Module._cache).some((f) => f.includes(${JSON.stringify(part)}))`;

  test("loads neither npm client nor TypeScript where nobody asks for them", () => {
    expect(run(`console.log(${isLoaded("/typescript/lib/typescript.js")}, ${isLoaded("/pacote/")})`)).toBe(
      "false false",
    );
  });

  test("loads them for who does: closures become text, the Automation API is whole", () => {
    expect(
      run(
        `const { text } = await pulumi.runtime.serializeFunction(() => 5); console.log(text.includes("5"))`,
      ),
    ).toBe("true");
    expect(run(`console.log((await pulumi.runtime.computeCodePaths()) instanceof Map)`)).toBe("true");
    expect(run(`console.log(typeof pulumi.automation.LocalWorkspace.createStack)`)).toBe("function");
    expect(run(`console.log("LocalWorkspace" in pulumi.automation, "nothing" in pulumi.automation)`)).toBe(
      "true false",
    );
  });

  test("keeps V8's own stacks, with the right place", () => {
    expect(
      run(
        `console.log(Error.prepareStackTrace === undefined && /\\[eval1\\]:1:/.test(new Error("x").stack))`,
      ),
    ).toBe("true");
  });

  test("goes without what another release of the SDK does not load", () => {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-startup-"));
    const sdk = join(folder, "node_modules/@pulumi/pulumi");
    mkdirSync(sdk, { recursive: true });
    writeFileSync(join(sdk, "package.json"), '{"name": "@pulumi/pulumi", "version": "3.276.0"}');
    cpSync(STARTUP, join(folder, "startup.mjs"));
    const started = () => execFileSync(process.execPath, [join(folder, "startup.mjs")], { stdio: "pipe" });
    expect(started).not.toThrow();
    rmSync(folder, { recursive: true });
  });

  test("keeps compiled code in the cache, not in the project", () => {
    expect(readdirSync(join(cache, "node-compile-cache")).length).toBeGreaterThan(0);
  });
});
