#!/usr/bin/env node
// Stands in for Stalwart in the entrypoint's tests: listens where TAILWART_WATCH_PORT says and behaves as FAKE_MODE says.
import { existsSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";

const mode = process.env.FAKE_MODE ?? "greet";
if (process.env.STALWART_RECOVERY_MODE) {
  // Recovery mode: the API alone. The marker is there once a file is.
  const api = createHttpServer((request, response) => {
    const allowed = request.headers.authorization === `Basic ${btoa("admin:api-password")}`;
    const marked = existsSync(process.env.FAKE_MARKER_FILE ?? "");
    const list = [{ name: "default" }, ...(marked ? [{ name: "applied" }] : [])];
    response.writeHead(allowed ? 200 : 401);
    response.end(JSON.stringify({ methodResponses: [["x:MtaConnectionStrategy/get", { list }, "c0"]] }));
  });
  api.listen(Number(process.env.STALWART_RECOVERY_PORT), "127.0.0.1", () =>
    console.log(`fake: recovery for ${process.env.STALWART_RECOVERY_ADMIN}, pid ${process.pid}`),
  );
  process.on("SIGTERM", () => process.exit(0));
  if (process.env.FAKE_DIE_AFTER) setTimeout(() => process.exit(7), Number(process.env.FAKE_DIE_AFTER));
}
const server = createServer((socket) => {
  socket.on("error", () => {});
  // A mute server accepts and says nothing, as Stalwart does while its connections to Postgres hang.
  if (mode === "mute" || (mode === "mute-on-file" && existsSync(process.env.FAKE_MUTE_FILE ?? ""))) return;
  socket.write("220 fake ESMTP\r\n");
  socket.on("data", () => socket.end("221 bye\r\n"));
});
if (!process.env.STALWART_RECOVERY_MODE) {
  server.listen(Number(process.env.TAILWART_WATCH_PORT), "127.0.0.1", () =>
    console.log(`fake: listening, pid ${process.pid}`),
  );
  process.on("SIGTERM", () => {
    console.log("fake: SIGTERM");
    if (mode !== "stubborn") process.exit(Number(process.env.FAKE_EXIT ?? 0));
  });
  if (process.env.FAKE_DIE_AFTER) setTimeout(() => process.exit(7), Number(process.env.FAKE_DIE_AFTER));
}
