import type { Violation } from "./violation.ts";

/**
 * Stalwart as its documentation starts it: one container, one config file, every port of it
 * published.
 */
const config = `[server.listener.https]
bind = ["[::]:443"]
protocol = "http"
tls.implicit = true
`;

export default {
  program: `
    container("stalwart", {
      image: "stalwartlabs/stalwart:v0.15.5@sha256:${"0".repeat(64)}",
      ports: [{ internal: 443, external: 443 }, { internal: 8080, external: 8080 }],
      uploads: [{ file: "/opt/stalwart/etc/config.toml", content: ${JSON.stringify(config)} }],
    });`,
  expected: [
    "uploads[0].content (/opt/stalwart/etc/config.toml) server.listener.https.bind.0000 answers /api/principal,",
    /ports\[\d\] publishes port 8080 of Stalwart/,
    /why: every HTTP listener answers all of Stalwart's paths/,
    /instead: http\.allowed-endpoint/,
  ],
} satisfies Violation;
