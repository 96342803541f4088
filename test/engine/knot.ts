// A Knot of a test's own: zones in memory, on a port of loopback.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "../../lab/run.ts";
import { requireProgram } from "./toolchain.ts";
import { freeUdpPort } from "./unbound.ts";

/** A key by which records are written. */
export const KNOT_KEY = {
  name: "writes",
  algorithm: "hmac-sha256",
  secret: Buffer.alloc(32, "right").toString("base64"),
};

export class Knot {
  readonly port: number;
  readonly resolver = new Resolver({ timeout: 500, tries: 2 });
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), "tailwart-knot-"));
    this.resolver.setServers([`127.0.0.1:${port}`]);
  }

  /**
   * @param zones zone → lines of its file, beside where it begins
   * @param options.owner the only name that the key may write. Default: any
   * @param options.reader a key of the same secret that may write nothing
   * @param options.checks have it look at what zones mean, too
   * @param options.signed zones that it signs, with keys that it makes
   */
  static async start(
    zones: Readonly<Record<string, string>>,
    {
      owner,
      reader,
      checks = false,
      signed = [],
    }: { owner?: string; reader?: string; checks?: boolean; signed?: readonly string[] } = {},
  ): Promise<Knot> {
    const knot = new Knot(await freeUdpPort());
    mkdirSync(join(knot.#folder, "run"));
    const key = (id: string) =>
      `  - id: ${id}\n    algorithm: ${KNOT_KEY.algorithm}\n    secret: ${KNOT_KEY.secret}\n`;
    const may =
      owner === undefined
        ? "    action: [update, transfer]"
        : `    action: update\n    update-owner: name\n    update-owner-match: equal\n    update-owner-name: ${owner}.`;
    const config = `server:
    rundir: ${join(knot.#folder, "run")}
    listen: 127.0.0.1@${knot.port}
database:
    storage: ${knot.#folder}
log:
  - target: stderr
    any: info
key:
${[KNOT_KEY.name, ...(reader === undefined ? [] : [reader])].map(key).join("")}acl:
  - id: writes
    key: ${KNOT_KEY.name}
${may}
template:
  - id: default
    storage: ${knot.#folder}
    file: "%s.zone"
    semantic-checks: ${checks ? "on" : "off"}
    zonefile-sync: -1
    journal-content: none
zone:
${Object.keys(zones)
  .map(
    (zone) =>
      `  - domain: ${zone}.\n    acl: writes${signed.includes(zone) ? "\n    dnssec-signing: on" : ""}`,
  )
  .join("\n")}
`;
    writeFileSync(join(knot.#folder, "knot.conf"), config);
    for (const [zone, lines] of Object.entries(zones)) knot.#writeZone(zone, lines);
    const child = spawn(
      requireProgram("knotd", "apt-get install knot"),
      ["--config", join(knot.#folder, "knot.conf")],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    knot.#process = child;
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [zone = ""] = Object.keys(zones);
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`Knot has ended:\n${said}`);
      return (await knot.resolver.resolveSoa(zone).catch(() => undefined)) !== undefined;
    };
    await until("Knot answers", answers, 30_000, { detail: () => said });
    return knot;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The texts of a name's TXT records, sorted. */
  async texts(name: string): Promise<string[]> {
    const found = await this.resolver.resolveTxt(name).catch(() => []);
    return found.map((strings) => strings.join("")).toSorted();
  }

  /**
   * Changes a zone as its owner does by hand.
   *
   * @param changes such as `zone-set example.org. www 5 A 192.0.2.1`, without the zone
   */
  edit(zone: string, ...changes: string[][]): void {
    const run = (...args: string[]) => {
      const { status, said } = this.#knotc(...args);
      if (status !== 0) throw new Error(`knotc ${args.join(" ")}: ${said}`);
    };
    run("zone-begin", zone);
    for (const [what = "", ...rest] of changes) run(what, zone, ...rest);
    run("zone-commit", zone);
  }

  /** Gives a zone's file these lines, and has Knot's own check look at it; nothing is loaded. */
  check(zone: string, lines: string): { status: number | null; said: string } {
    this.#writeZone(zone, lines);
    return this.#knotc("zone-check", zone);
  }

  /** The records of type DS that a signed zone's parent is to have, without their owner. */
  delegations(zone: string): string[] {
    const keymgr = requireProgram("keymgr", "apt-get install knot");
    const words = ["-c", join(this.#folder, "knot.conf"), zone, "ds"];
    const { status, stdout, stderr } = spawnSync(keymgr, words, { encoding: "utf8" });
    if (status !== 0) throw new Error(`keymgr ${words.join(" ")}: ${stderr}`);
    return stdout.split("\n").flatMap((line) => / (DS .*)$/.exec(line)?.[1] ?? []);
  }

  #writeZone(zone: string, lines: string): void {
    const begin = `$TTL 5\n${zone}. SOA ns.${zone}. h.${zone}. 1 3600 600 86400 5\n${zone}. NS ns.${zone}.\nns.${zone}. A 127.0.0.1\n`;
    writeFileSync(join(this.#folder, `${zone}.zone`), `${begin}${lines}\n`);
  }

  #knotc(...args: string[]): { status: number | null; said: string } {
    const knotc = requireProgram("knotc", "apt-get install knot");
    const done = spawnSync(knotc, ["-c", join(this.#folder, "knot.conf"), ...args], { encoding: "utf8" });
    return { status: done.status, said: done.stdout + done.stderr };
  }

  async stop(): Promise<void> {
    if (this.#process?.exitCode === null) {
      this.#process.kill();
      await once(this.#process, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
