import { readFileSync } from "node:fs";
import { createAdapter, type AdapterOptions } from "./server.ts";

/** Usage: node lab/tailnet/adapter/main.ts CONFIG.json; see AdapterConfig. */
export interface AdapterConfig extends Omit<AdapterOptions, "log"> {
  listen: { host: string; port: number };
}

const file = process.argv[2];
if (!file || process.argv.length !== 3) {
  console.error("usage: node lab/tailnet/adapter/main.ts CONFIG.json");
  process.exit(2);
}
const { listen, ...options } = JSON.parse(readFileSync(file, "utf8")) as AdapterConfig;
const server = await createAdapter({
  ...options,
  log: (line) => console.log(`${new Date().toISOString()} ${line}`),
});
server.on("error", (error) => {
  console.error(`the adapter cannot listen on ${listen.host}:${listen.port}: ${error.message}`);
  process.exit(1);
});
server.listen(listen.port, listen.host, () => console.log(`listening on ${listen.host}:${listen.port}`));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
