#!/usr/bin/env node
// Stands in for Stalwart in the entrypoint's tests: listens where TAILWART_WATCH_PORT says and behaves as FAKE_MODE says.
import { existsSync } from "node:fs";
import { createServer } from "node:net";

const mode = process.env.FAKE_MODE ?? "greet";
const server = createServer((socket) => {
  socket.on("error", () => {});
  // A mute server accepts and says nothing, as Stalwart does while its connections to Postgres hang.
  if (mode === "mute" || (mode === "mute-on-file" && existsSync(process.env.FAKE_MUTE_FILE ?? ""))) return;
  socket.write("220 fake ESMTP\r\n");
  socket.on("data", () => socket.end("221 bye\r\n"));
});
server.listen(Number(process.env.TAILWART_WATCH_PORT), "127.0.0.1", () =>
  console.log(`fake: listening, pid ${process.pid}`),
);
process.on("SIGTERM", () => {
  console.log("fake: SIGTERM");
  if (mode !== "stubborn") process.exit(Number(process.env.FAKE_EXIT ?? 0));
});
if (process.env.FAKE_DIE_AFTER) setTimeout(() => process.exit(7), Number(process.env.FAKE_DIE_AFTER));
