/**
 * The administrator of the 0.15 line, on a real server: let in by the API, and by no protocol of
 * mail.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";

import { API_LOGIN } from "../../lib/stalwart/paths.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { waitUntilReady } from "../../provider/server/wait-until-ready.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { applyTo, PASSWORD, stateOf } from "./settings-state.ts";
import { freePort, Postgres, StalwartServer } from "./stalwart-server.ts";

const hashOf = (password: string) => execFileSync("openssl", ["passwd", "-6", password]).toString().trim();

let postgres: Postgres;
let server: StalwartServer;
let imap: number;
let password = "admin-password";
let secret = hashOf(password);
let deployed: SettingsState | undefined;

beforeAll(async () => {
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  imap = await freePort();
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);

function settings(...people: string[]) {
  const listener = { name: "imaps", protocol: "imap" as const, port: imap, implicitTls: true, proxy: false };
  return server.settings({
    listeners: [...server.settings().listeners, { ...listener, bind: "127.0.0.1" }],
    accounts: people.map((name) => ({ name, emails: [`${name}@lab.test`] })),
  });
}

async function deploy(...people: string[]) {
  const desired = { ...stateOf(server, settings(...people)), admin: { name: "admin", secret } };
  const transport = server.transport();
  const applied = await applyTo(transport, desired, deployed);
  deployed = desired;
  return applied;
}

/** Which protocols of mail let somebody in. */
async function letIn(user: string, pass: string): Promise<string[]> {
  const found: string[] = [];
  const tls = { rejectUnauthorized: false };
  const smtp = { host: "127.0.0.1", port: server.ports.submissions, secure: true, tls };
  await createTransport({ ...smtp, auth: { user, pass } })
    .verify()
    .then(() => found.push("smtp"))
    .catch(() => undefined);
  const client = new ImapFlow({
    ...{ host: "127.0.0.1", port: imap, secure: true, auth: { user, pass }, tls, logger: false },
  });
  client.on("error", () => undefined);
  await client
    .connect()
    .then(() => found.push("imap"))
    .catch(() => undefined);
  client.close();
  return found;
}

const lastResort = () => api().readSettings(["authentication.fallback-admin.user"], []);

test("one that stands in the config file would be let in by all of them", async () => {
  server.install(settings());
  server.start();
  await waitUntilReady(api(), 30_000);
  expect(await letIn("admin", password)).toEqual(["smtp", "imap"]);
  await server.end();
});

test("is one of last resort until the first deploy has made the account, and nowhere in the config afterwards", async () => {
  server.adminAccount = true;
  server.install(settings());
  server.start();
  await server.says(/admin: the API refuses its login/);
  const { log, restarts } = await deploy("alice");
  expect(log.join("\n")).toContain("making the administrator's account admin");
  expect(restarts).toBe(1);
  expect(await lastResort()).toEqual({});
  expect(server.log.match(/starting over with an administrator of last resort/g)).toHaveLength(1);
  const again = await deploy("alice");
  expect({ writes: again.writes, restarts: again.restarts }).toEqual({ writes: [], restarts: 0 });
});

test("opens the API and no mailbox; a person's account opens hers", async () => {
  expect(await api().readSettings(["server.hostname"], [])).toEqual({ "server.hostname": "mail.lab.test" });
  expect(await letIn("admin", password)).toEqual([]);
  expect(await letIn("alice", PASSWORD)).toEqual(["smtp", "imap"]);
});

test("makes accounts that may do what it may not itself, and has no more rights afterwards", async () => {
  await deploy("alice", "bob");
  expect(await letIn("bob", PASSWORD)).toEqual(["smtp", "imap"]);
  expect(await letIn("admin", password)).toEqual([]);
});

test("gets a new password by the next deploy, which the server lets in by its last resort", async () => {
  [password, secret] = ["second-password", hashOf("second-password")];
  writeFileSync(server.path("/etc/stalwart/secrets/admin"), secret);
  writeFileSync(server.path(API_LOGIN), `admin:${password}`);
  await server.end();
  server.start();
  const { log } = await deploy("alice", "bob");
  expect(log.join("\n")).toContain("updating the administrator's account admin");
  expect(await lastResort()).toEqual({});
  expect(await letIn("admin", password)).toEqual([]);
  writeFileSync(server.path(API_LOGIN), "admin:admin-password");
  await expect(api().readSettings([], ["queue"])).rejects.toThrow(/the API refuses its login/);
});
