/**
 * What Stalwart's 0.15 line does, as far as the design relies on it; each was read in its source
 * first (lessons 3, 12, 14).
 */
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";

import { StalwartApi } from "../../provider/keys/api.ts";
import { waitUntilReady } from "../../provider/server/wait-until-ready.ts";
import { freePort, Postgres, StalwartServer } from "./stalwart-server.ts";

/**
 * This machine's own address: a peer that Stalwart does not take for loopback, which is never
 * banned.
 */
const own =
  Object.values(networkInterfaces())
    .flat()
    .find((i) => i?.family === "IPv4" && !i.internal)?.address ?? "";

let postgres: Postgres;
let server: StalwartServer;
let ports: { mail: number; web: number; admin: number };

beforeAll(async () => {
  if (!own) throw new Error("this test needs an IPv4 address other than loopback");
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  ports = { mail: await freePort(), web: await freePort(), admin: await freePort() };
  server.install(
    server.settings({
      listeners: [
        { name: "smtp", protocol: "smtp", port: server.ports.smtp, bind: "127.0.0.1", proxy: false },
        { name: "http", protocol: "http", port: server.ports.http, bind: "127.0.0.1", proxy: false },
        { name: "mail", protocol: "smtp", port: ports.mail, bind: own },
        { name: "web", protocol: "http", port: ports.web, bind: own },
        { name: "admin", protocol: "http", port: ports.admin, bind: own, proxy: false, management: true },
      ],
      proxyTrustedNetworks: [`${own}/32`],
    }),
  );
  server.start();
  await waitUntilReady(api(), 30_000);
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);
const insert = (values: [string, string][]) =>
  api().writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
const remove = (keys: string[]) => api().writeSettings([{ type: "delete", keys }]);

/**
 * Everything that a listener says within two seconds of what it is sent; "" when it closes without
 * a word.
 */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, own);
  let answer = "";
  socket.on("data", (data: Buffer) => (answer += data.toString()));
  socket.on("error", () => undefined);
  socket.setTimeout(2000, () => socket.destroy());
  socket.write(text);
  await new Promise((resolve) => socket.on("close", resolve));
  return answer;
}

const proxied = (source: string) => `PROXY TCP4 ${source} ${own} 40000 25\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: mail.lab.test\r\nConnection: close\r\n\r\n`;
const blocked = () => api().readSettings([], ["server.blocked-ip"]);

test("a trusted peer must send a PROXY header: without one it is dropped, with one it is greeted", async () => {
  expect(await talk(ports.mail, proxied("198.51.100.7"))).toMatch(/^220 /);
  expect(await talk(ports.mail, "EHLO x\r\n")).toBe("");
  await server.says(/network\.proxy-error/);
});

test("an attacker is banned by the address in the PROXY header, for good, and the peer that carried it is not", async () => {
  await talk(ports.web, proxied("198.51.100.66") + get("/wp-login.php"));
  expect(await blocked()).toEqual({ "server.blocked-ip.198.51.100.66": "" });
  expect(await talk(ports.mail, proxied("198.51.100.66"))).toBe("");
  expect(await talk(ports.mail, proxied("198.51.100.7"))).toMatch(/^220 /);
  await server.end();
  server.start();
  await waitUntilReady(api(), 30_000);
  expect(await talk(ports.mail, proxied("198.51.100.66"))).toBe("");
});

test("without the allow-list one scan on the admin listener bans the peer itself; the list does not lift a ban, it prevents one after a reload", async () => {
  await talk(ports.admin, get("/wp-login.php"));
  expect(await blocked()).toHaveProperty([`server.blocked-ip.${own}`]);
  expect(await talk(ports.admin, get("/healthz/live"))).toBe("");
  // The ban is on the raw address, so what the same peer carries for others still passes: lesson
  // 3's riddle.
  expect(await talk(ports.mail, proxied("198.51.100.7"))).toMatch(/^220 /);

  await insert([[`server.allowed-ip.${own}`, ""]]);
  await api().reload();
  expect(await talk(ports.admin, get("/healthz/live"))).toBe("");

  await remove([`server.blocked-ip.${own}`]);
  await api().reload();
  expect(await talk(ports.admin, get("/wp-login.php"))).toMatch(/^HTTP\/1\.1 /);
  expect(await blocked()).not.toHaveProperty([`server.blocked-ip.${own}`]);
  expect(await talk(ports.admin, get("/healthz/live"))).toMatch(/^HTTP\/1\.1 200/);
});

test("a macro in a value of the data store is not expanded, and **** is stored as it is", async () => {
  await insert([
    ["server.allowed-ip.%{env:HOME}%", ""],
    ["session.test", "****"],
  ]);
  await expect(api().reload()).rejects.toThrow(/server\.allowed-ip: /);
  expect(await api().readSettings(["session.test"], [])).toEqual({ "session.test": "****" });
  await remove(["server.allowed-ip.%{env:HOME}%", "session.test"]);
  await api().reload();
});

test("a write of a key that config.toml owns rewrites the file and loses its comments: which is why the provider never does it", async () => {
  const path = server.path("/etc/stalwart/config.toml");
  const before = readFileSync(path, "utf8");
  const port = await freePort();
  await insert([
    ["server.listener.late.bind", `${own}:${port}`],
    ["server.listener.late.protocol", "smtp"],
  ]);
  await api().reload();
  const after = readFileSync(path, "utf8");
  expect(after).toContain("server.listener.late.bind");
  expect(after).not.toContain("#");
  // And a listener is bound at start only.
  expect(await talk(port, "")).toBe("");
  writeFileSync(path, before);
  await server.end();
  server.start();
  await waitUntilReady(api(), 30_000);
  expect(await api().readSettings([], ["server.listener.late"])).toEqual({});
});
