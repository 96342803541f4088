/**
 * The fake of Stalwart's registry on a real Postgres, behind the entrypoint that its container
 * gets.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { toAccounts } from "../../lib/desired-state/keys/principals.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { StalwartSettings } from "../../lib/desired-state/schema.ts";
import { entrypointEnvironment, stalwartFiles } from "../../lib/stalwart/files.ts";
import { API_LOGIN } from "../../lib/stalwart/paths.ts";
import type { RegistryState } from "../../provider/registry/state.ts";
import { type Postgres, StalwartServer } from "./stalwart-server.ts";
import { listens, talk } from "./talk.ts";

const FAKE = fileURLToPath(new URL("../fakes/registry-server.ts", import.meta.url));
const PASSWORD = "admin-password";

/**
 * Below what the kernel gives to connections: a server that is being restarted finds its port
 * again.
 */
let lastPort = 20_000 + Math.floor(Math.random() * 10_000);
async function ownPort(): Promise<number> {
  const port = ++lastPort;
  return (await listens(port, "127.0.0.1")) ? ownPort() : port;
}

/** A server, and what the engine knows of the stack that it is deployed by. */
export class RegistryServer extends StalwartServer {
  override adminAccount = true;
  /** The state of the last deploy. */
  known: RegistryState | undefined;
  #databases = 1;
  readonly #markerPort: number;

  private constructor(postgres: Postgres, ports: StalwartServer["ports"], markerPort: number) {
    super(postgres, ports);
    this.#markerPort = markerPort;
  }

  /** One whose API has the same port in both modes, as in the container. */
  static override async on(postgres: Postgres): Promise<RegistryServer> {
    const [smtp, submissions, http] = [await ownPort(), await ownPort(), await ownPort()];
    return new RegistryServer(postgres, { smtp, submissions, http }, await ownPort());
  }

  /** Where the data store is. */
  get database(): string {
    return `store${this.ports.smtp}x${this.#databases}`;
  }

  /** Another one, to which nothing has been written. The last one stays. */
  newDatabase(): void {
    const before = `store${this.ports.smtp}x${this.#databases - 1}`;
    this.#databases++;
    this.postgres.sql(
      `drop database if exists ${before} with (force)`,
      `create database ${this.database} owner stalwart`,
    );
  }

  /** Settings whose mail to elsewhere goes by a route. */
  settingsWith(route: string): StalwartSettings {
    return this.settings({
      relays: [{ name: route, host: `${route}.tail.test`, tls: "tailnet" }],
      outbound: { route },
      postgres: { host: "localhost", port: this.postgres.port, database: this.database },
      accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
    });
  }

  override install(settings: StalwartSettings): void {
    mkdirSync(join(this.directory, "secrets"), { recursive: true });
    for (const file of stalwartFiles(settings, "registry")) {
      writeFileSync(this.path(file.path), this.path(file.content));
      chmodSync(this.path(file.path), 0o644);
    }
    writeFileSync(this.path(settings.admin.hashFile), `hash of ${PASSWORD}`);
    writeFileSync(this.path(API_LOGIN), `${settings.admin.user}:${PASSWORD}`);
    this.environment = {
      ...Object.fromEntries(
        Object.entries(entrypointEnvironment(settings, { generation: "registry" })).map(([key, value]) => [
          key,
          this.path(value),
        ]),
      ),
      NODE_COMPILE_CACHE: join(this.directory, "compiled"),
      FAKE_PSQL: join(this.postgres.programs, "psql"),
      TAILWART_DEVICE: "lo",
      TAILWART_WATCH: "on",
      TAILWART_STALWART: this.command("config.json"),
      TAILWART_MARKER_PORT: String(this.#markerPort),
    };
  }

  protected override command(config: string): string {
    return `${process.execPath} ${FAKE} --config ${join(this.directory, config)}`;
  }

  /** Makes the container anew, as an `up` does whose files differ. */
  async replace(): Promise<void> {
    await this.end();
    this.log = "";
    this.install(this.settingsWith("smarthost"));
    this.start();
  }

  desired(route: string): RegistryState {
    const settings = this.settingsWith(route);
    const accounts = Object.entries(toAccounts(settings));
    return {
      target: { dockerHost: "unix:///none", container: "test", api: `http://127.0.0.1:${this.ports.http}` },
      objects: toRegistryObjects(settings),
      accounts: Object.fromEntries(accounts.map(([name, rest]) => [name, { ...rest, secret: "hash" }])),
      admin: { name: settings.admin.user, secret: `hash of ${PASSWORD}` },
    };
  }

  /** Whether SMTP greets, with the patience of the watch; where nobody listens, it does not. */
  async greets(): Promise<boolean> {
    const said = await talk({ port: this.ports.smtp }, ["QUIT"], 5000).catch(() => "");
    return said.startsWith("220 ");
  }
}
