import type { Violation } from "./violation.ts";

// Lesson 11: the node behind which the server runs may be reached, but nothing lets it reach the
// relay.
export default {
  program: `
    const sidecar = container("ts", { envs: ["TS_HOSTNAME=stalwart", "TS_EXTRA_ARGS=--advertise-tags=tag:stalwart"] });
    container("stalwart", {
      networkMode: pulumi.interpolate\`container:\${sidecar.id}\`,
      envs: ["RELAY_HOST=mailbox.tail7b1641.ts.net:587", "PGHOST=the-record-prod.tail7b1641.ts.net"],
    });
    acl("acl", { grants: [
      { src: ["tag:reverse-proxy"], dst: ["tag:stalwart"], ip: ["tcp:25", "tcp:443"] },
      { src: ["tag:db"], dst: ["tag:stalwart"], ip: ["tcp:5432"] },
    ] });`,
  expected: [
    "envs (RELAY_HOST) needs tag:stalwart to reach mailbox.tail7b1641.ts.net:587, the relay, and tag:stalwart stands in the grants as a destination only",
    "envs (PGHOST) needs tag:stalwart to reach the-record-prod.tail7b1641.ts.net:5432, the data store, and only the opposite direction is granted (grants[1])",
    /why: the tailnet drops in silence what no grant opens/,
    /instead: .*tag:stalwart.*tcp:587/,
  ],
  policyConfig: { "tailnet-flows-granted": { hosts: { "the-record-prod": "tag:db" } } },
} satisfies Violation;
