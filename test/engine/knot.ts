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

  /** @param zones zone → lines of its file, beside where it begins */
  static async start(zones: Readonly<Record<string, string>>): Promise<Knot> {
    const knot = new Knot(await freeUdpPort());
    mkdirSync(join(knot.#folder, "run"));
    const config = `server:
    rundir: ${join(knot.#folder, "run")}
    listen: 127.0.0.1@${knot.port}
database:
    storage: ${knot.#folder}
key:
  - id: ${KNOT_KEY.name}
    algorithm: ${KNOT_KEY.algorithm}
    secret: ${KNOT_KEY.secret}
acl:
  - id: writes
    key: ${KNOT_KEY.name}
    action: [update, transfer]
template:
  - id: default
    storage: ${knot.#folder}
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
zone:
${Object.keys(zones)
  .map((zone) => `  - domain: ${zone}.\n    acl: writes`)
  .join("\n")}
`;
    writeFileSync(join(knot.#folder, "knot.conf"), config);
    for (const [zone, lines] of Object.entries(zones))
      writeFileSync(
        join(knot.#folder, `${zone}.zone`),
        `$TTL 5\n${zone}. SOA ns.${zone}. h.${zone}. 1 3600 600 86400 5\n${zone}. NS ns.${zone}.\nns.${zone}. A 127.0.0.1\n${lines}\n`,
      );
    knot.#process = spawn(
      requireProgram("knotd", "apt-get install knot"),
      ["--config", join(knot.#folder, "knot.conf")],
      { stdio: "ignore" },
    );
    const [zone = ""] = Object.keys(zones);
    const answers = async () => (await knot.resolver.resolveSoa(zone).catch(() => undefined)) !== undefined;
    await until("Knot answers", answers, 30_000);
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
      const knotc = requireProgram("knotc", "apt-get install knot");
      const done = spawnSync(knotc, ["-c", join(this.#folder, "knot.conf"), ...args], { encoding: "utf8" });
      if (done.status !== 0) throw new Error(`knotc ${args.join(" ")}: ${done.stdout}${done.stderr}`);
    };
    run("zone-begin", zone);
    for (const [what = "", ...rest] of changes) run(what, zone, ...rest);
    run("zone-commit", zone);
  }

  async stop(): Promise<void> {
    if (this.#process?.exitCode === null) {
      this.#process.kill();
      await once(this.#process, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
