// Builds a piece from pinned sources: Go modules (tools/go), a crate (tools/stalwart), a Debian
// source package (tools/busybox), or an npm package that holds a binary. All of them check what
// they fetch against sums that stand in this repository or its tools' own.
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBusyBox } from "./busybox.mjs";
import { cacheRoot, folderHash } from "./cache.mjs";
import { ensureDebianPackages } from "./debian.mjs";
import { ToolError } from "./errors.mjs";
import { applyEdits } from "./go-edits.mjs";
import { compilers, debian } from "./manifest.mjs";
import { output, run } from "./run.mjs";
import { atLeast, onPath, versionOf } from "./versions.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** @typedef {import("./ensure.d.mts").Build} Build */
/** @typedef {{ log: string, doing?: (text: string) => void, root?: string }} Options */

/**
 * What a build's result depends on beside its manifest entry: its sources and its compiler.
 *
 * @param {Build} build
 * @param {string} [root] the cache's root
 */
export function ingredients(build, root = cacheRoot()) {
  if ("go" in build) return [folderHash(join(here, "go", build.go)), compilerVersion("go", root)];
  if ("cargo" in build) return [folderHash(join(here, build.cargo)), compilerVersion("cargo", root)];
  if ("busybox" in build) return [folderHash(join(here, build.busybox))];
  return [];
}

/**
 * Builds into `folder`/bin.
 *
 * @param {Build} build
 * @param {string} folder
 * @param {Options} options
 */
export async function buildPiece(build, folder, options) {
  mkdirSync(join(folder, "bin"), { recursive: true });
  if ("go" in build) await buildGo(build, folder, options);
  else if ("cargo" in build) await buildCargo(build, folder, options);
  else if ("busybox" in build) await buildBusyBox(build, folder, options);
  else await takeFromNpm(build, folder, options);
}

/**
 * @param {import("./ensure.d.mts").GoBuild} build
 * @param {string} folder
 * @param {Options} options
 */
async function buildGo(build, folder, options) {
  needCompiler("go", options.root);
  const set = Object.entries(build.set ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const args = ["build", "-v", "-mod=readonly", "-ldflags", ["-s -w", ...set].join(" ")];
  // Nothing is inlined, and what -s -w takes away again is not made: 30 % less to compile.
  args.push("-gcflags=all=-l -dwarf=false");
  if (build.tags?.length) args.push("-tags", build.tags.join(","));
  const source = join(here, "go", build.go);
  args.push(...applyEdits(source, join(options.root ?? cacheRoot(), "work", `${build.go}-edited`)));
  args.push("-o", join(folder, "bin", build.out), build.package);
  let packages = 0;
  let modules = 0;
  await run("go", args, {
    log: options.log,
    cwd: source,
    // No cgo: the programs also run in images with another libc. The same flags everywhere: what
    // one piece has compiled, the next takes from Go's own cache. A go.mod asks for no newer Go
    // than the one that is there.
    env: {
      ...process.env,
      CGO_ENABLED: "0",
      GOFLAGS: "-buildvcs=false -trimpath",
      GOTOOLCHAIN: "local",
      GOWORK: "off",
    },
    onLine: (line) => {
      if (line.startsWith("go: downloading")) modules++;
      else packages++;
      const fetched = modules > 0 ? `, ${modules} modules fetched` : "";
      options.doing?.(`building ${build.out} from Go modules, ${packages} packages compiled${fetched}`);
    },
  });
}

/**
 * @param {import("./ensure.d.mts").CargoBuild} build
 * @param {string} folder
 * @param {Options} options
 */
async function buildCargo(build, folder, options) {
  needCompiler("cargo", options.root);
  await ensureDebianPackages(debian.stalwart, { log: options.log, doing: options.doing });
  const crate = join(here, build.cargo);
  const target = join(options.root ?? cacheRoot(), "work", `${build.cargo}-target`);
  const total = readFileSync(join(crate, "Cargo.lock"), "utf8").split("[[package]]").length - 1;
  let compiled = 0;
  // The target folder stays: half an hour of dependencies survives a Ctrl-C and a change of our
  // main.rs.
  await run("cargo", ["build", "--release", "--locked"], {
    log: options.log,
    cwd: crate,
    env: {
      ...process.env,
      CARGO_TARGET_DIR: target,
      CARGO_TERM_COLOR: "never",
      // Without it the server answers every DNS question with NXDOMAIN; the script says why.
      RUSTC_WRAPPER: join(crate, "rustc-without-mocks"),
    },
    onLine: (line) => {
      if (/^\s*Compiling /.test(line)) compiled++;
      options.doing?.(`building ${build.out} from crates, ${compiled} of about ${total} compiled`);
    },
  });
  copyFileSync(join(target, "release", build.out), join(folder, "bin", build.out));
}

/**
 * @param {import("./ensure.d.mts").NpmBuild} build
 * @param {string} folder
 * @param {Options} options
 */
async function takeFromNpm(build, folder, options) {
  options.doing?.(`installing the npm package ${build.npm}`);
  const prefix = join(folder, "npm");
  mkdirSync(prefix);
  // In an empty folder: npm would look for a package.json further up.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  await run("npm", ["install", "--prefix", prefix, ...flags, build.npm], { log: options.log, cwd: prefix });
  const name = build.npm.slice(0, build.npm.lastIndexOf("@"));
  for (const [program, inside] of Object.entries(build.take)) {
    copyFileSync(join(prefix, "node_modules", name, inside), join(folder, "bin", program));
    chmodSync(join(folder, "bin", program), 0o755);
  }
}

/** @param {"go" | "cargo"} name @param {string} [root] */
function compilerVersion(name, root = cacheRoot()) {
  const file = onPath(name);
  if (!file) return "none";
  // rustup's cargo is one file for all toolchains, so its version cannot be remembered by file.
  if (name === "cargo") return /\d+\.\d+\.\d+/.exec(output("rustc", ["--version"]) ?? "")?.[0] ?? "none";
  return versionOf(file, ["version"], join(root, "versions.json")) ?? "none";
}

/** @param {"go" | "cargo"} name @param {string} [root] */
function needCompiler(name, root) {
  const { atLeast: least, get } = compilers[name];
  const found = compilerVersion(name, root);
  if (found !== "none" && atLeast(found, least)) return;
  throw new ToolError(
    `it is built with ${name} >= ${least}, and there is ${found === "none" ? "none" : found} on PATH`,
    { hint: `install it from ${get} (or let this machine reach the official downloads)` },
  );
}
