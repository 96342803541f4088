/**
 * The fake of Stalwart's registry as a server in a process of its own, which an entrypoint starts
 * as it starts the real one: `--config` names its data store, and the environment says whether it
 * serves the API alone. What is stored lies in Postgres, so that the next process finds it. Between
 * two processes nobody answers. `FAKE_PSQL` is the path of Postgres' client.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { FakeRegistry } from "./fake-registry.ts";

type Json = Record<string, unknown>;

/**
 * What a server takes from its start to its listeners, in milliseconds; a real one takes longer.
 */
const START = 300;

const { env } = process;
const config = JSON.parse(readFileSync(process.argv.at(-1) ?? "", "utf8")) as Record<string, string>;
const isRecovery = env["STALWART_RECOVERY_MODE"] === "1";
/** Login name and hash of the administrator of last resort. */
const [lastResort, lastHash = ""] = env["STALWART_RECOVERY_ADMIN"]?.split(":") ?? [];

const say = (text: string): void => void process.stdout.write(`fake: ${text}\n`);

/** The hashes hide nothing. */
const opens = (password: string, hash: unknown): boolean => hash === `hash of ${password}`;

const psql = spawn(
  env["FAKE_PSQL"] ?? "psql",
  ["-qAtX", "-v", "ON_ERROR_STOP=1", "-h", config["host"], "-p", config["port"], "-U", config["authUsername"]]
    .concat(config["database"])
    .map(String),
  { stdio: ["pipe", "pipe", "inherit"] },
);
psql.once("exit", () => process.exit(1));
const lines = createInterface({ input: psql.stdout })[Symbol.asyncIterator]();
let turn: Promise<unknown> = Promise.resolve();

/** What a statement answers: one line, or nothing. One after the other. */
function sql(statement: string): Promise<string> {
  const answer = turn.then(async () => {
    psql.stdin.write(`${statement};\n\\echo done\n`);
    let text = "";
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("Postgres' client has ended");
      if (value === "done") return text;
      text = value;
    }
  });
  turn = answer;
  return answer;
}

class StoredRegistry extends FakeRegistry {
  #kept = "";
  #route = "";

  async open(): Promise<void> {
    await sql("set client_min_messages = warning");
    await sql("create table if not exists registry (id int primary key, rows text)");
    this.#kept = await sql("select rows from registry");
    if (this.#kept) this.stored = this.#kept;
    if (!isRecovery) this.restart();
    await this.keep();
  }

  protected override accepts(authorization = ""): boolean {
    const login = Buffer.from(authorization.replace("Basic ", ""), "base64").toString();
    const [name = "", password = ""] = login.split(":");
    this.lastResort = name === lastResort && opens(password, lastHash);
    const account = this.inForce("Account").find((row) => row["name"] === name);
    const credentials = Object.values((account?.["credentials"] ?? {}) as Record<string, Json>);
    return this.lastResort || credentials.some(({ secret }) => opens(password, secret));
  }

  /** Whoever reads the log sees which way mail goes from now on. */
  protected override async keep(): Promise<void> {
    const { route, stored } = this;
    if (!isRecovery && route !== this.#route) say(`mail goes by ${route}`);
    this.#route = route;
    if (stored === this.#kept) return;
    this.#kept = stored;
    const row = `values (1, $rows$${stored}$rows$)`;
    await sql(`insert into registry ${row} on conflict (id) do update set rows = excluded.rows`);
  }

  /** The one in force for mail to elsewhere. */
  get route(): string {
    const [strategy] = this.inForce("MtaOutboundStrategy");
    return String((strategy?.["route"] as Json)["else"]).replaceAll("'", "");
  }

  /** Hands a message to whom the route says, in the words of Stalwart's log. */
  deliver(recipient: string): void {
    const domain = recipient.split("@")[1] ?? "";
    const row = this.inForce("MtaRoute").find(({ name }) => name === this.route);
    const [host, port] = row ? [String(row["address"]), String(row["port"])] : [domain, "25"];
    say(`(delivery.connect) domain = "${domain}", hostname = "${host}", remotePort = ${port}`);
    say(`(delivery.delivered) domain = "${domain}", hostname = "${host}"`);
  }
}

process.once("SIGTERM", () => process.exit(0));
const registry = new StoredRegistry();
await Promise.all([registry.open(), sleep(START)]);
if (isRecovery) {
  const port = Number(env["STALWART_RECOVERY_MODE_PORT"]);
  await registry.listen(port);
  say(`the API alone, on port ${port}`);
} else {
  const { FakeSubmission } = await import("./fake-submission.ts");
  const listeners = registry.inForce("NetworkListener");
  if (listeners.length === 0) say("mail is served by a server without settings");
  for (const { bind, protocol, tlsImplicit, name } of listeners) {
    const port = Number(
      Object.keys(bind as Json)[0]
        ?.split(":")
        .at(-1),
    );
    if (protocol === "http") await registry.listen(port);
    else {
      const listener = new FakeSubmission(tlsImplicit === true);
      listener.taken = (recipient) => registry.deliver(recipient);
      await listener.listen(port);
    }
    say(`${String(name)} listens on port ${port}`);
  }
}
