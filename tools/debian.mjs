// Debian packages: installs what is missing, and nothing that they bring starts: not now, not at
// the next boot.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.mjs";
import { ToolError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { output, run } from "./run.mjs";

/**
 * Debian asks this script before it starts a service; 101 = "forbidden by policy" (invoke-rc.d(8)).
 */
const POLICY = "/usr/sbin/policy-rc.d";
const MARK = "# tailwart: removed again when the packages are installed";
/** Of the machine that the lab runs on: Debian 12. */
const RELEASE = "bookworm";
/** postgresql-common makes and starts a cluster "main" when it is installed, unless told so. */
const NO_CLUSTER = "/etc/postgresql-common/createcluster.d/tailwart.conf";

/**
 * Installs the Debian packages of the list that are missing.
 *
 * @param {string[]} names
 * @param {{ log?: string, doing?: (text: string) => void }} [options]
 * @returns {Promise<string[]>} what was installed
 * @throws ToolError when something is missing and this is no Debian, or not root
 */
export async function ensureDebianPackages(names, options = {}) {
  const missing = missingPackages(names);
  if (missing.length === 0) return [];
  const command = `apt-get install ${missing.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get"))
    throw new ToolError(
      `the programs of the Debian packages ${missing.join(", ")} are needed, and this is not Debian`,
      {
        hint: "run the lab on Debian 12 or in a container of it; the program itself deploys from any system",
      },
    );
  if (process.getuid?.() !== 0)
    throw new ToolError(
      `the Debian packages ${missing.join(", ")} are missing, and installing them needs root`,
      { hint: `run: sudo ${command}` },
    );
  const root = cacheRoot();
  const log = options.log ?? join(root, "logs", "debian.log");
  await withLock(join(root, "locks", "debian.lock"), () => install(missing, { ...options, log }), {
    onWait: (pid) => options.doing?.(`waiting for process ${pid}, which installs Debian packages`),
  });
  return missing;
}

/**
 * The package archive that this machine uses. It holds Debian's other releases as well.
 *
 * @throws ToolError when the machine names none of its own release
 * @example debianArchive() // "http://mirror.example.org/debian/"
 */
export function debianArchive() {
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const listed = output("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]) ?? "";
  const line = listed.split("\n").find((each) => each.startsWith(`${RELEASE} main `));
  const uri = line?.split(" ")[2];
  if (uri) return uri;
  throw new ToolError(`apt knows no package archive of Debian's ${RELEASE}`, {
    hint: "run: apt-get update (and see that /etc/apt/sources.list names one)",
  });
}

/** Those of the packages that dpkg does not have installed. @param {string[]} names */
export function missingPackages(names) {
  const listed = output("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n"]) ?? "";
  const installed = new Set(
    listed
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** @param {string[]} names @param {{ log: string, doing?: (text: string) => void }} options */
async function install(names, options) {
  const unitsBefore = new Set(enabledUnits());
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const doing = (/** @type {string} */ text) => options.doing?.(`Debian packages: ${text}`);
  forbidStarts();
  try {
    doing("reading the package lists");
    await run("apt-get", ["update", "-q"], { log: options.log, env });
    // --no-remove: postfix would push out another mail server that the machine may live on.
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "--no-remove", ...names], {
      log: options.log,
      env,
      onLine: (line) => {
        const [, what, name] = /^(Unpacking|Setting up) (\S+)/.exec(line) ?? [];
        if (what) doing(`${what.toLowerCase()} ${name}`);
      },
    });
  } finally {
    allowStarts();
  }
  const added = enabledUnits().filter((unit) => !unitsBefore.has(unit));
  if (added.length > 0) await run("systemctl", ["disable", ...added], { log: options.log });
}

/** Services and sockets that start at boot; none where there is no systemctl. */
function enabledUnits() {
  const lines =
    output("systemctl", ["list-unit-files", "--no-legend", "--type=service,socket", "--state=enabled"]) ?? "";
  return lines
    .split("\n")
    .map((line) => line.split(/\s+/)[0] ?? "")
    .filter(Boolean);
}

/** Keeps the machine's own policy aside; the mark tells a later run that this one was killed. */
function forbidStarts() {
  const ours = existsSync(POLICY) && readFileSync(POLICY, "utf8").includes(MARK);
  if (existsSync(POLICY) && !ours) renameSync(POLICY, `${POLICY}.tailwart-saved`);
  writeFileSync(POLICY, `#!/bin/sh\n${MARK}\nexit 101\n`);
  chmodSync(POLICY, 0o755);
  mkdirSync("/etc/postgresql-common/createcluster.d", { recursive: true });
  writeFileSync(NO_CLUSTER, "create_main_cluster = false\n");
  process.once("exit", allowStarts);
}

function allowStarts() {
  process.removeListener("exit", allowStarts);
  rmSync(NO_CLUSTER, { force: true });
  rmSync(POLICY, { force: true });
  if (existsSync(`${POLICY}.tailwart-saved`)) renameSync(`${POLICY}.tailwart-saved`, POLICY);
}
