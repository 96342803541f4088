/** A real Stalwart on a real Postgres, both on loopback, for tests of the settings. Needs Postgres' server programs and the built Stalwart. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { parseSettings } from "../../lib/settings/parse.ts";
import type { StalwartSettings, StalwartSettingsInput } from "../../lib/settings/schema.ts";
import { runCommand } from "../../lib/run-command.ts";
import { stalwartFiles } from "../../lib/stalwart/files.ts";
import { API_CURLRC } from "../../lib/stalwart/paths.ts";
import type { Transport } from "../../provider/transport.ts";

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function stalwartBinary(): string {
  const cache =
    process.env.TAILWART_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tailwart");
  const found = [
    process.env.TAILWART_STALWART_BINARY,
    ...globSync(join(cache, "tools/stalwart-*/{,bin/}stalwart")),
    join(cache, "work/stalwart-target/release/stalwart"),
  ].find((path) => path !== undefined && existsSync(path));
  if (!found)
    throw new Error(
      "this test needs the lab's Stalwart: run `npm run up` once, or set TAILWART_STALWART_BINARY",
    );
  return found;
}

function postgresPrograms(): string {
  const found = globSync("/usr/lib/postgresql/*/bin/initdb").sort().at(-1);
  if (!found) throw new Error("this test needs Postgres' server programs: apt-get install postgresql");
  return found.replace(/\/initdb$/, "");
}

/** Runs a program as user postgres when this process is root, since Postgres refuses root. */
function asPostgres(command: string, args: string[], output: "ignore" | "pipe" = "ignore"): string {
  const root = process.getuid?.() === 0;
  const [program, ...rest] = root
    ? ["runuser", "-u", "postgres", "--", command, ...args]
    : [command, ...args];
  const stdio = ["ignore", output, "ignore"] as const;
  return String(execFileSync(program as string, rest, { stdio: [...stdio], cwd: "/" }) ?? "");
}

export class Postgres {
  readonly port: number;
  readonly #directory: string;
  readonly #programs = postgresPrograms();

  constructor(port: number) {
    this.port = port;
    this.#directory = mkdtempSync(join(tmpdir(), "tailwart-pg-"));
  }

  static async start(): Promise<Postgres> {
    const postgres = new Postgres(await freePort());
    const { uid, gid } = postgres.#owner();
    chownSync(postgres.#directory, uid, gid);
    const data = join(postgres.#directory, "data");
    asPostgres(join(postgres.#programs, "initdb"), [
      "-D",
      data,
      "-A",
      "trust",
      "-U",
      "postgres",
      "--no-sync",
    ]);
    postgres.resume();
    postgres.sql(
      "create role stalwart login password 'pg-password'",
      "create database stalwart owner stalwart",
    );
    return postgres;
  }

  #owner(): { uid: number; gid: number } {
    if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"]).toString());
    return { uid: id("-u"), gid: id("-g") };
  }

  sql(...statements: string[]): void {
    for (const statement of statements) this.ask(statement);
  }

  /** What a statement answers, without its frame. */
  ask(statement: string): string {
    const where = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres"];
    return asPostgres(join(this.#programs, "psql"), [...where, "-At", "-c", statement], "pipe").trim();
  }

  resume(): void {
    const options = `-p ${this.port} -k ${this.#directory} -c listen_addresses=127.0.0.1 -c fsync=off`;
    asPostgres(join(this.#programs, "pg_ctl"), [
      "-D",
      join(this.#directory, "data"),
      "-o",
      options,
      "-l",
      join(this.#directory, "log"),
      "-w",
      "start",
    ]);
  }

  pause(): void {
    asPostgres(join(this.#programs, "pg_ctl"), [
      "-D",
      join(this.#directory, "data"),
      "-m",
      "immediate",
      "stop",
    ]);
  }

  stop(): void {
    this.pause();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The server, started with the files and the entrypoint that its container gets; only their directory is another. */
export class StalwartServer {
  readonly directory = mkdtempSync(join(tmpdir(), "tailwart-stalwart-"));
  readonly ports: { smtp: number; submissions: number; http: number };
  log = "";
  #process: ChildProcess | undefined;
  #postgres: Postgres;

  constructor(postgres: Postgres, ports: { smtp: number; submissions: number; http: number }) {
    this.#postgres = postgres;
    this.ports = ports;
  }

  /** One on a Postgres of its own, which runs. */
  static async started(): Promise<{ postgres: Postgres; server: StalwartServer }> {
    const postgres = await Postgres.start();
    const server = await StalwartServer.on(postgres);
    server.install(server.settings());
    server.start();
    return { postgres, server };
  }

  /** A server on ports that are free now. */
  static async on(postgres: Postgres): Promise<StalwartServer> {
    return new StalwartServer(postgres, {
      smtp: await freePort(),
      submissions: await freePort(),
      http: await freePort(),
    });
  }

  /** The desired state of this server; `more` on top. */
  settings(more: Partial<StalwartSettingsInput> = {}): StalwartSettings {
    const bind = "127.0.0.1";
    return parseSettings({
      hostname: "mail.lab.test",
      tailnetDomain: "tail.test",
      listeners: [
        { name: "smtp", protocol: "smtp", port: this.ports.smtp, bind },
        { name: "submissions", protocol: "smtp", port: this.ports.submissions, bind, implicitTls: true },
        { name: "http", protocol: "http", port: this.ports.http, bind, proxy: false },
      ],
      postgres: { host: "localhost", port: this.#postgres.port },
      domains: ["lab.test"],
      ...more,
    });
  }

  /** A path of the container, here. */
  path(inContainer: string): string {
    return inContainer.replaceAll("/etc/stalwart", this.directory);
  }

  install(settings: StalwartSettings): void {
    mkdirSync(join(this.directory, "secrets"), { recursive: true });
    for (const file of stalwartFiles(settings)) {
      const path = this.path(file.path);
      writeFileSync(path, this.path(file.content));
      chmodSync(path, 0o644);
    }
    writeFileSync(join(this.directory, "secrets/postgres"), "pg-password");
    writeFileSync(join(this.directory, "secrets/admin"), "admin-password");
    writeFileSync(join(this.directory, "secrets/relay"), "relay-password");
    writeFileSync(join(this.directory, "secrets/api.curlrc"), 'user = "admin:admin-password"\n');
  }

  start(): void {
    this.#process = spawn("bash", [join(this.directory, "entrypoint.sh")], {
      env: {
        PATH: process.env.PATH,
        TAILWART_POSTGRES_HOST: "localhost",
        TAILWART_POSTGRES_PORT: String(this.#postgres.port),
        TAILWART_WATCH_PORT: String(this.ports.smtp),
        TAILWART_STALWART: `${stalwartBinary()} --config ${join(this.directory, "config.toml")}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (data: Buffer) => {
      this.log += data.toString();
      if (existsSync(this.directory)) appendFileSync(join(this.directory, "log"), data);
    };
    this.#process.stdout?.on("data", keep);
    this.#process.stderr?.on("data", keep);
  }

  async end(): Promise<void> {
    if (!this.#process || this.#process.exitCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async says(pattern: RegExp, milliseconds = 20_000): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!pattern.test(this.log)) {
      if (Date.now() > deadline)
        throw new Error(`${pattern} is not in the log after ${milliseconds} ms:\n${this.log}`);
      await sleep(50);
    }
  }

  /** The same as the Docker transport, without Docker: curl and restart act on this process. */
  transport(): Transport & { requests: string[]; restarts: number } {
    const path = (inContainer: string) => this.path(inContainer);
    const again = async () => {
      await this.end();
      this.start();
    };
    const log = () => this.log;
    return {
      name: "container test",
      requests: [],
      restarts: 0,
      curl(args, stdin, deadline) {
        const { protocol, pathname } = new URL(args[args.indexOf("--url") + 1] ?? "");
        const method = args[args.indexOf("--request") + 1] ?? "";
        this.requests.push(protocol === "http:" ? `${method} ${pathname}` : "probe");
        return runCommand("curl", ["--config", path(API_CURLRC), ...args], { stdin, deadline });
      },
      async restart() {
        this.restarts++;
        await again();
        return { status: 0, stdout: "", stderr: "" };
      },
      inspect: () => Promise.resolve({ exists: true, running: true, log: log() }),
    };
  }
}
