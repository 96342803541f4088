// `npm pack` in policies/ calls this first, and with --clean last: puts what the pack is made of
// into policies/dist, as the JavaScript that Node runs anywhere. Below node_modules it strips no
// types, and npm takes nothing from outside the folder that it packs.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";

import { UserError } from "../lib/errors.ts";
import { runMain } from "./parts/progress.ts";

const PROJECT = join(import.meta.dirname, "..");
const PACKAGE = join(PROJECT, "policies");
const OUT = join(PACKAGE, "dist");
const DOC = join(PACKAGE, "POLICIES.md");

/** What the executable and the directory form start. */
const ENTRIES = ["lib/startup.mjs", "policies/pack.ts", "policies/check/main.ts"].map((file) =>
  join(PROJECT, file),
);

/** A specifier in an `import … from`, `export … from`, `import "…"` or `import("…")`. */
const IMPORT = /(?<=^|[\s;])((?:import|export)\s(?:[^"'`;]*?\sfrom\s+)?|(?:await\s+)?import\()"([^"]+)"/g;

/** Writes one module and all that it imports; gives the names of packages among them. */
function emit(file: string, done: Set<string>, packages: Set<string>): void {
  if (done.has(file)) return;
  done.add(file);
  const source = readFileSync(file, "utf8");
  // Types become blanks: a stack names the lines and columns of the source.
  const code = file.endsWith(".ts") ? stripTypeScriptTypes(source) : source;
  const text = code.replace(IMPORT, (all, head: string, specifier: string) => {
    if (specifier.startsWith(".")) {
      emit(join(dirname(file), specifier), done, packages);
      return `${head}"${specifier.replace(/\.ts$/, ".js")}"`;
    }
    if (!specifier.startsWith("node:")) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
    return all;
  });
  const target = join(OUT, relative(PROJECT, file)).replace(/\.ts$/, ".js");
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

await runMain(async () => {
  rmSync(OUT, { recursive: true, force: true });
  rmSync(DOC, { force: true });
  if (process.argv.includes("--clean")) return;

  const [files, packages] = [new Set<string>(), new Set<string>()];
  for (const entry of ENTRIES) emit(entry, files, packages);
  const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const missing = [...packages].filter((name) => !(name in manifest.dependencies));
  if (missing.length > 0)
    throw new UserError(
      `the policy pack imports ${missing.join(", ")}, which policies/package.json does not list`,
      {
        hint: "add it to its dependencies, with the version that package.json has",
      },
    );
  const doc = readFileSync(join(PROJECT, "POLICIES.md"), "utf8");
  // The pages of the lessons are the project's, and not the package's.
  const own = doc
    .replaceAll("policies/README.md", "README.md")
    .replace(/\[(\d+)\]\(docs\/lessons\/\d+\.md\)/g, "$1");
  writeFileSync(DOC, own);
  console.error(`policies/dist: ${files.size} modules as JavaScript`);
});
