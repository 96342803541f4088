#!/usr/bin/env node
// Stands in for Stalwart in the entrypoint's tests: listens where TAILWART_WATCH_PORT says and
// behaves as FAKE_MODE says.
import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";

const mode = process.env.FAKE_MODE ?? "greet";
const openFiles = () => /open files +(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
const marked = () => existsSync(process.env.FAKE_MARKER_FILE ?? "");
/** What the console says when it is to delete: it asks for a `y` when there is something. */
const deletion = () => {
  if (mode === "locked") return "> Are you sure you want to delete 3 keys? (y/N): Deleted 3 keys.\n";
  if (mode === "read-only") process.exit(101); // it panics
  return "> No keys found.\n";
};
if (process.argv.includes("--console")) {
  // The data store's console: a prompt before each answer (common/src/manager/console.rs).
  if (mode === "deaf-console") process.exit(1);
  for (const line of readFileSync(0, "utf8").split("\n")) {
    if (line === "get stailwart.applied") process.stdout.write(marked() ? "> true\n" : "> Key not found.\n");
    if (line === String.raw`delete m\x15 m\x16`) process.stdout.write(deletion());
    if (line === "exit") process.stdout.write("> Exiting...\n");
  }
  process.exit(0);
}
if (process.env.STALWART_RECOVERY_MODE) {
  // Recovery mode: the API alone. The marker is there once a file is.
  const api = createHttpServer((request, response) => {
    const allowed = request.headers.authorization === `Basic ${btoa("admin:api-password")}`;
    const list = [{ name: "default" }, ...(marked() ? [{ name: "applied" }] : [])];
    response.writeHead(allowed ? 200 : 401);
    const answer =
      mode === "no-postgres"
        ? ["error", { type: "serverUnavailable" }, "c0"]
        : ["x:MtaConnectionStrategy/get", { list }, "c0"];
    response.end(JSON.stringify({ methodResponses: [answer] }));
  });
  const port = Number(process.env.STALWART_RECOVERY_MODE_PORT);
  api.listen(port, "127.0.0.1", () =>
    console.log(
      `fake: recovery for ${process.env.STALWART_RECOVERY_ADMIN} on port ${port}, pid ${process.pid}`,
    ),
  );
  process.on("SIGTERM", () => mode !== "stubborn" && process.exit(0));
  if (process.env.FAKE_DIE_AFTER) setTimeout(() => process.exit(7), Number(process.env.FAKE_DIE_AFTER));
}
// The API of a mail server takes the login of an administrator of last resort, or of the account,
// which is there once a file is.
if (process.env.FAKE_API_PORT && !process.env.STALWART_RECOVERY_MODE) {
  const registry = process.env.TAILWART_MARKER_ROW !== undefined;
  const lastResort = registry
    ? process.env.STALWART_RECOVERY_ADMIN !== undefined
    : /^authentication\.fallback-admin\.user = "admin"$/m.test(readFileSync(process.argv.at(-1)));
  const question = registry ? "POST /jmap" : "GET /api/settings/keys?keys=server.hostname";
  const api = createHttpServer((request, response) => {
    const known = lastResort || existsSync(process.env.FAKE_ACCOUNT_FILE ?? "");
    const allowed = known && request.headers.authorization === `Basic ${btoa("admin:api-password")}`;
    const asked = `${request.method} ${request.url}` === question;
    response.writeHead(allowed ? (asked ? 200 : 404) : 401).end('{"list":[]}');
  });
  api.listen(Number(process.env.FAKE_API_PORT), "127.0.0.1", () =>
    console.log(`fake: API, ${lastResort ? "administrator of last resort" : "accounts alone"}`),
  );
}
const server = createServer((socket) => {
  socket.on("error", () => {});
  // A mute server accepts and says nothing, as Stalwart does while its connections to Postgres
  // hang.
  const changed = existsSync(process.env.FAKE_MUTE_FILE ?? "");
  if (mode === "mute" || (mode === "mute-on-file" && changed)) return;
  // At its limit of connections Stalwart takes one and drops it (common/src/listener/listen.rs).
  if (mode === "close-on-file" && changed) return void socket.destroy();
  socket.write("220 fake ESMTP\r\n");
  socket.on("data", () => socket.end("221 bye\r\n"));
});
if (!process.env.STALWART_RECOVERY_MODE) {
  server.listen(Number(process.env.TAILWART_WATCH_PORT), "127.0.0.1", () =>
    console.log(`fake: listening, ${openFiles()} open files, pid ${process.pid}`),
  );
  process.on("SIGTERM", () => {
    console.log("fake: SIGTERM");
    if (mode !== "stubborn") process.exit(Number(process.env.FAKE_EXIT ?? 0));
  });
  if (process.env.FAKE_DIE_AFTER) setTimeout(() => process.exit(7), Number(process.env.FAKE_DIE_AFTER));
}
