/**
 * A real Stalwart on a real Postgres, both on loopback, for tests of the settings. Needs Postgres'
 * server programs and the built Stalwart.
 */
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

import { parseSettings } from "../../lib/desired-state/parse.ts";
import type { StalwartSettings, StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { APPLIED_KEY } from "../../lib/desired-state/keys/keys.ts";
import { stalwartFiles } from "../../lib/stalwart/files.ts";
import { API_LOGIN } from "../../lib/stalwart/paths.ts";
import type { Question } from "../../provider/server/http.ts";
import type { Destination } from "../../provider/server/pipe.ts";
import { pipeTransport, type Transport } from "../../provider/server/transport.ts";

/** A transport, and what has gone through it so far; `pipes` would be as many `docker exec`s. */
export type ObservedTransport = Transport & { requests: string[]; restarts: number; pipes: number };

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
  /** Folder of the programs themselves; those on PATH are scripts that look for them. */
  readonly programs = postgresPrograms();

  constructor(port: number) {
    this.port = port;
    this.#directory = mkdtempSync(join(tmpdir(), "tailwart-pg-"));
  }

  static async start(): Promise<Postgres> {
    const postgres = new Postgres(await freePort());
    const { uid, gid } = postgres.#owner();
    chownSync(postgres.#directory, uid, gid);
    const data = join(postgres.#directory, "data");
    asPostgres(join(postgres.programs, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]);
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
  ask(statement: string, database = "postgres"): string {
    const where = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres", "-d", database];
    return asPostgres(join(this.programs, "psql"), [...where, "-At", "-c", statement], "pipe").trim();
  }

  /** Makes it offer TLS, with a certificate for localhost that it has signed itself. */
  offerTls(): void {
    const file = (name: string) => join(this.#directory, "data", name);
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const out = ["-keyout", file("server.key"), "-out", file("server.crt")];
    asPostgres("openssl", [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      ...subject,
      ...out,
    ]);
    this.sql("alter system set ssl = on", "select pg_reload_conf()");
  }

  resume(): void {
    const options = `-p ${this.port} -k ${this.#directory} -c listen_addresses=127.0.0.1 -c fsync=off`;
    asPostgres(join(this.programs, "pg_ctl"), [
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
    asPostgres(join(this.programs, "pg_ctl"), [
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

/**
 * The server, started with the files and the entrypoint that its container gets; only their
 * directory is another.
 */
export class StalwartServer {
  readonly directory = mkdtempSync(join(tmpdir(), "tailwart-stalwart-"));
  readonly ports: { smtp: number; submissions: number; http: number };
  log = "";
  /** Environment of the entrypoint, on top of what every server here gets. */
  environment: Record<string, string> = {};
  /**
   * Whether the administrator is an account of the data store, as in production, or stands in the
   * config file, so that no test has to make one.
   */
  adminAccount = false;
  #process: ChildProcess | undefined;
  protected readonly postgres: Postgres;

  constructor(postgres: Postgres, ports: { smtp: number; submissions: number; http: number }) {
    this.postgres = postgres;
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
      postgres: { host: "localhost", port: this.postgres.port },
      domains: [{ name: "lab.test" }],
      spamRules: "none",
      webUi: "none",
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
    if (!this.adminAccount) {
      const admin = "authentication.fallback-admin";
      const secret = `%{file:${this.path(settings.admin.hashFile)}}%`;
      const lines = `${admin}.user = "${settings.admin.user}"\n${admin}.secret = "${secret}"\n`;
      appendFileSync(join(this.directory, "config.toml"), lines);
    }
    writeFileSync(join(this.directory, "secrets/postgres"), "pg-password");
    writeFileSync(join(this.directory, "secrets/admin"), "admin-password");
    writeFileSync(join(this.directory, "secrets/relay"), "relay-password");
    writeFileSync(this.path(API_LOGIN), "admin:admin-password");
  }

  /** What the entrypoint starts. @param config name of its config file */
  protected command(config: string): string {
    return `${stalwartBinary()} --config ${join(this.directory, config)}`;
  }

  /** Serves no mail before a deploy has finished with the data store, as in the container. */
  gate(): void {
    this.environment = {
      TAILWART_MARKER_KEY: APPLIED_KEY,
      TAILWART_MARKER_INTERVAL: "1",
      TAILWART_HANDOVER: "2",
      TAILWART_RECOVERY: this.command("recovery.toml"),
    };
  }

  start(): void {
    this.#process = spawn("bash", [join(this.directory, "entrypoint.sh")], {
      env: {
        PATH: process.env.PATH,
        TAILWART_POSTGRES_HOST: "localhost",
        TAILWART_POSTGRES_PORT: String(this.postgres.port),
        TAILWART_WATCH_PORT: String(this.ports.smtp),
        TAILWART_STALWART: this.command("config.toml"),
        ...(this.adminAccount && {
          TMPDIR: this.directory,
          TAILWART_ADMIN: `admin:${join(this.directory, "secrets/admin")}`,
          TAILWART_API_PORT: String(this.ports.http),
          TAILWART_API_LOGIN: this.path(API_LOGIN),
        }),
        ...this.environment,
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

  /**
   * The same as the Docker transport, without Docker: its pipes and its restart act on this
   * process.
   */
  transport(): ObservedTransport {
    const seen = { requests: [] as string[], restarts: 0, pipes: 0 };
    const pipes = pipeTransport({
      name: "container test",
      loginFile: this.path(API_LOGIN),
      beside(command) {
        seen.pipes++;
        return command;
      },
      restart: async () => {
        seen.restarts++;
        await this.end();
        this.start();
        return { status: 0, stdout: "", stderr: "" };
      },
      inspect: () => Promise.resolve({ exists: true, running: true, log: this.log }),
    });
    return Object.assign(seen, pipes, {
      ask(question: Question) {
        seen.requests.push(`${question.method} ${new URL(question.url).pathname}`);
        return pipes.ask(question);
      },
      connect(to: Destination, deadline: number) {
        seen.requests.push("probe");
        return pipes.connect(to, deadline);
      },
    });
  }
}
