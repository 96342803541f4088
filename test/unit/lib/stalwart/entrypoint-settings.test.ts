import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import {
  cleanups,
  Entrypoint,
  environment,
  eventually,
  FAKE,
  freePort,
  inTheOfficialImage,
  listen,
} from "./entrypoint.ts";

inTheOfficialImage();

describe("the administrator (the 0.15 line)", () => {
  /** A config file of the fake's, and what tells it that the account is there. */
  async function line015(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-admin-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const config = join(folder, "config.toml");
    writeFileSync(config, 'server.hostname = "mail.lab.test"\n');
    writeFileSync(join(folder, "login"), "admin:api-password");
    const port = String(await freePort());
    const account = join(folder, "account");
    const env = await environment((await listen("N")).port, {
      TMPDIR: folder,
      TAILWART_STALWART: `${process.execPath} ${FAKE} --config ${config}`,
      TAILWART_ADMIN: "admin:/etc/stalwart/secrets/admin",
      TAILWART_API_PORT: port,
      TAILWART_API_LOGIN: join(folder, "login"),
      FAKE_API_PORT: port,
      FAKE_ACCOUNT_FILE: account,
      ...more,
    });
    return { env, account, lastResort: join(folder, "tailwart-last-resort.toml") };
  }

  test("of last resort is in no config while the API takes the account's login", async () => {
    const { env, account } = await line015();
    writeFileSync(account, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: API, accounts alone");
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(1);
    expect(entry.output).not.toContain("last resort");
  });

  test("of last resort is there while the account is missing, and gone after the next start", async () => {
    const { env, account, lastResort } = await line015();
    const entry = new Entrypoint(env);
    await entry.says("admin: the API refuses its login");
    await entry.says("fake: API, administrator of last resort");
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(2);
    expect(readFileSync(lastResort, "utf8")).toBe(
      'server.hostname = "mail.lab.test"\n' +
        'authentication.fallback-admin.user = "admin"\n' +
        'authentication.fallback-admin.secret = "%{file:/etc/stalwart/secrets/admin}%"\n',
    );
    expect((await entry.stop("SIGTERM")).status).toBe(0);

    writeFileSync(account, "");
    const next = new Entrypoint(env);
    await next.says("watch: SMTP greets");
    expect(next.output).not.toContain("last resort");
  });

  test("is not waited for for ever: a server whose API is mute is watched all the same", async () => {
    const { env } = await line015({ FAKE_API_PORT: "", TAILWART_START_DEADLINE: "1" });
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(1);
  });

  test("a server that ends while the login is asked for ends the container within seconds", async () => {
    const { env } = await line015({ FAKE_API_PORT: "", FAKE_DIE_AFTER: "1500" });
    const start = Date.now();
    expect(await new Entrypoint(env).exit).toBe(7);
    expect(Date.now() - start).toBeLessThan(15_000);
  });

  test("a stop while the login is asked for ends the server", async () => {
    const { env } = await line015({ FAKE_API_PORT: "" });
    const entry = new Entrypoint(env);
    await entry.says("fake: listening");
    expect((await entry.stop("SIGTERM")).status).toBe(0);
    expect(entry.output).toContain("fake: SIGTERM");
  });
});

describe("with a registry (Stalwart 0.16 and later)", () => {
  /** Files of the container, and what tells the fake that the marker is there. */
  async function registry(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-registry-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "admin"), "$6$salt$hash");
    writeFileSync(join(folder, "api"), "admin:api-password");
    const [marker, account] = [join(folder, "marker"), join(folder, "account")];
    writeFileSync(account, "");
    const port = String(await freePort());
    const env = await environment((await listen("N")).port, {
      TAILWART_MARKER_ROW: "applied",
      TAILWART_MARKER_PORT: String(await freePort()),
      TAILWART_MARKER_INTERVAL: "0.5",
      TAILWART_HANDOVER: "0.5",
      TAILWART_ADMIN: `admin:${join(folder, "admin")}`,
      TAILWART_API_PORT: port,
      TAILWART_API_LOGIN: join(folder, "api"),
      FAKE_API_PORT: port,
      FAKE_ACCOUNT_FILE: account,
      FAKE_MARKER_FILE: marker,
      ...more,
    });
    return { env, marker, account, folder };
  }

  test("a data store without the marker is served in recovery mode alone until a deploy has left it there", async () => {
    const { env, marker } = await registry();
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery for admin:$6$salt$hash");
    await entry.says("serving the API alone until a deploy has applied them");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake: listening");
    writeFileSync(marker, "");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("one with the marker is served at once: nobody finds the server that was asked for it, and takes it for ready", async () => {
    const { env, marker } = await registry();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).not.toContain("until a deploy");
    expect(entry.output).toContain(`on port ${env["TAILWART_MARKER_PORT"]}`);
    expect(entry.output).not.toContain(`on port ${env["TAILWART_API_PORT"]}`);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 0 });
  });

  test("the deploy that has left the marker may restart the container itself: for its time the API goes on", async () => {
    const { env, marker } = await registry({ TAILWART_HANDOVER: "60" });
    const entry = new Entrypoint(env);
    await entry.says(`on port ${env["TAILWART_API_PORT"]}`);
    writeFileSync(marker, "");
    await entry.says("the deploy restarts the container");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const answer = await fetch(`http://127.0.0.1:${env["TAILWART_API_PORT"]}/`);
    expect(answer.status).toBe(401);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });

  test("no administrator of last resort is there while the account's login is taken", async () => {
    const { env, marker } = await registry();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).toContain("fake: API, accounts alone");
    expect(entry.output).not.toContain("last resort");
  });

  test("an account that is missing is stood in for by one of last resort, until a start that finds it", async () => {
    const { env, marker, account } = await registry();
    writeFileSync(marker, "");
    rmSync(account);
    const entry = new Entrypoint(env);
    await entry.says("admin: the API refuses its login");
    await entry.says("fake: API, administrator of last resort");
    await entry.says("watch: SMTP greets");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 0 });
    writeFileSync(account, "");
    const next = new Entrypoint(env);
    await next.says("watch: SMTP greets");
    expect(next.output).not.toContain("last resort");
  });

  test("an API that has lost Postgres never counts as a data store without the marker", async () => {
    const { env } = await registry({ FAKE_MODE: "no-postgres" });
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("until a deploy");
  });

  test("an API that refuses the password never counts as having the marker", async () => {
    const { env, marker, folder } = await registry();
    writeFileSync(join(folder, "api"), "admin:wrong");
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(entry.output).not.toMatch(/fake: listening|settings are applied/);
  });

  test("a server that does not leave recovery mode when it is told to is killed after the grace", async () => {
    const { env, marker } = await registry({ FAKE_MODE: "stubborn", TAILWART_STOP_GRACE: "1" });
    const entry = new Entrypoint(env);
    await entry.says("until a deploy has applied them");
    writeFileSync(marker, "");
    await entry.says("did not end within 1 s of SIGTERM; killing it");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("a server that a signal kills in recovery mode ends the container", async () => {
    const entry = new Entrypoint((await registry()).env);
    await eventually(() => entry.servers.length === 2);
    process.kill(entry.servers[1]!, "SIGKILL");
    expect(await entry.exit).toBe(137);
  });

  test("a stop in recovery mode ends the server and is told from a failure", async () => {
    const entry = new Entrypoint((await registry()).env);
    await eventually(() => entry.servers.length === 2);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });

  test("a server that ends in recovery mode ends the container with its status, so that it is started over", async () => {
    const entry = new Entrypoint((await registry({ FAKE_DIE_AFTER: "1500" })).env);
    expect(await entry.exit).toBe(7);
    expect(entry.output).toContain("recovery: Stalwart has ended by itself");
  });
});

describe("with settings as keys (Stalwart 0.15)", () => {
  async function keys(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-keys-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const marker = join(folder, "marker");
    const env = await environment((await listen("N")).port, {
      TAILWART_MARKER_KEY: "tailwart.applied",
      TAILWART_MARKER_INTERVAL: "0.5",
      TAILWART_HANDOVER: "0.5",
      TAILWART_API_PORT: String(await freePort()),
      FAKE_MARKER_FILE: marker,
      ...more,
    });
    return { env, marker };
  }

  test("a data store without the marker is served by the API alone until a deploy has left it there", async () => {
    const { env, marker } = await keys();
    const entry = new Entrypoint(env);
    await entry.says("serving the API alone until a deploy has applied them");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake: listening");
    expect(entry.count("has no settings")).toBe(1);
    writeFileSync(marker, "");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("one with the marker is served at once, with no other server before", async () => {
    const { env, marker } = await keys();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).not.toContain("recovery");
  });

  test("locks that a dead server has left on messages are taken away before the start, and the log says how many", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "locked" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("queue: 3 messages were under way when the last server ended");
    await entry.says("fake: listening");
  });

  test("a data store in which nothing can be deleted does not hold up the start", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "read-only" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: listening");
    expect(entry.output).not.toContain("queue:");
  });

  test("while it cannot be told nothing is started, and a stop is a stop", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "deaf-console" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("it cannot be told whether");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake:");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });
});
