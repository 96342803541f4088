// BusyBox as Alpine has it: the source of Debian 13's archive, which has Alpine's version, with
// Alpine's options and musl. Debian's own busybox-static is another one: its nc knows neither -z
// nor -v.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot } from "./cache.mjs";
import { debianArchive, ensureDebianPackages } from "./debian.mjs";
import { ToolError } from "./errors.mjs";
import { debian } from "./manifest.mjs";
import { output, run } from "./run.mjs";

/** Debian's own, of the package debian-archive-keyring. */
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
const here = dirname(fileURLToPath(import.meta.url));

/**
 * Builds bin/busybox and bin/getent, both static.
 *
 * @param {import("./ensure.d.mts").BusyBoxBuild} build
 * @param {string} folder
 * @param {import("./build.mjs").Options} options
 */
export async function buildBusyBox(build, folder, options) {
  await ensureDebianPackages(debian.busybox, { log: options.log, doing: options.doing });
  const work = join(options.root ?? cacheRoot(), "work", "busybox");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const archive = await fetchSource(build, work, options);
  const source = join(work, "source");
  mkdirSync(source);
  const command = (/** @type {string} */ program, /** @type {string[]} */ args) =>
    run(program, args, {
      log: options.log,
      cwd: source,
      // The same bytes at each build: the lab's images are named by their content.
      env: { ...process.env, KCONFIG_NOTIMESTAMP: "1", LC_ALL: "C" },
    });
  await command("tar", ["--extract", "--strip-components=1", `--file=${archive}`]);
  options.doing?.("building busybox");
  await command("make", ["defconfig"]);
  // kconfig keeps the first of two values.
  const wanted = readFileSync(join(here, build.busybox, "alpine.config"), "utf8");
  const defaults = readFileSync(join(source, ".config"), "utf8");
  writeFileSync(join(source, ".config"), wanted + defaults);
  await command("make", ["oldconfig"]);
  checkConfig(wanted, readFileSync(join(source, ".config"), "utf8"));
  const headers = `-idirafter ${kernelHeaders(work)}`;
  await command("make", ["-j2", "CC=musl-gcc", "HOSTCC=gcc", `EXTRA_CFLAGS=${headers}`, "busybox"]);
  copyFileSync(join(source, "busybox"), join(folder, "bin", "busybox"));
  const getent = join(here, build.busybox, "getent.c");
  await command("musl-gcc", ["-static", "-Os", "-s", "-Wall", "-o", join(folder, "bin", "getent"), getent]);
  rmSync(work, { recursive: true });
}

/**
 * The upstream tarball of Debian's source package. apt checks the archive's signature and the
 * tarball's sum, by lists of its own: the machine's may name no sources, and another suite.
 *
 * @param {import("./ensure.d.mts").BusyBoxBuild} build @param {string} work
 * @param {import("./build.mjs").Options} options
 */
async function fetchSource({ suite, version }, work, options) {
  options.doing?.("fetching busybox's source");
  const list = join(work, "sources.list");
  writeFileSync(list, `deb-src [signed-by=${KEYS}] ${debianArchive()} ${suite} main\n`);
  mkdirSync(join(work, "lists", "partial"), { recursive: true });
  const settings = {
    "Dir::Etc::SourceList": list,
    "Dir::Etc::SourceParts": "-",
    "Dir::State::Lists": join(work, "lists"),
    "Dir::Cache::srcpkgcache": "",
    "Dir::Cache::pkgcache": "",
    // root's cache folder may be closed to apt's own user.
    "APT::Sandbox::User": "root",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", [...args, "update", "-q"], { log: options.log, cwd: work });
  await run("apt-get", [...args, "source", "--download-only", "-q", "--only-source", "busybox"], {
    log: options.log,
    cwd: work,
  });
  const archive = join(work, `busybox_${version}.orig.tar.bz2`);
  if (existsSync(archive)) return archive;
  throw new ToolError(`Debian ${suite} has another busybox than ${version}`, {
    hint: "name its version in tools/manifest.mjs, and hold tools/busybox/alpine.config against Alpine's",
  });
}

/**
 * An option that this version does not know any more would be dropped without a word.
 *
 * @param {string} wanted
 * @param {string} config
 */
function checkConfig(wanted, config) {
  const lines = new Set(config.split("\n"));
  const lost = wanted.split("\n").filter((line) => /^(# )?CONFIG_/.test(line) && !lines.has(line));
  if (lost.length > 0) throw new ToolError(`busybox's configuration does not take: ${lost.join(", ")}`);
}

/**
 * musl-gcc looks into musl's headers alone, and the kernel's lie beside glibc's.
 *
 * @param {string} work
 */
function kernelHeaders(work) {
  const folder = join(work, "kernel-headers");
  mkdirSync(folder);
  const own = `/usr/include/${output("gcc", ["-print-multiarch"]) ?? ""}`;
  symlinkSync("/usr/include/linux", join(folder, "linux"));
  symlinkSync("/usr/include/mtd", join(folder, "mtd"));
  symlinkSync("/usr/include/asm-generic", join(folder, "asm-generic"));
  symlinkSync(join(own, "asm"), join(folder, "asm"));
  return folder;
}
