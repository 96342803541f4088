import type { Violation } from "./violation.ts";

// Lesson 1: one sidecar is healthy before Postgres can be reached, the other waits for a server
// that Stalwart does not use.
export default {
  program: `
    const labels = [{ label: "tailwart.role", value: "sidecar" }];
    const healthz = "wget -qO- http://127.0.0.1:9002/healthz";
    container("early", { labels, healthcheck: { tests: ["CMD-SHELL", healthz + " || exit 1"] } });
    container("astray", { labels, healthcheck: { tests: ["CMD-SHELL", healthz + " && nc -z -w 3 old-db 5432"] } });
    container("stalwart", { envs: ["TAILWART_POSTGRES_HOST=the-record-prod", "TAILWART_POSTGRES_PORT=5432"] });`,
  expected: [
    "healthcheck.tests can succeed while the data store is not reachable",
    "healthcheck.tests requires old-db:5432, while the data store is the-record-prod:5432",
    /why: tailscaled is healthy before the route to Postgres is usable/,
    /instead: CMD-SHELL with .* && nc -z -w 3 the-record-prod 5432/,
  ],
} satisfies Violation;
