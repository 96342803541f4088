import type { Lesson } from "./lesson.ts";

/** What the table of lessons says of one. */
export type Card = Pick<Lesson, "number" | "title" | "preventedBy" | "refusedBy">;

/** Cards of the lessons that are not replayed. */
export const UNPLAYED: readonly Card[] = [
  {
    number: 2,
    title: "A dead key of the DNS API",
    preventedBy:
      "the key is a secret of the stack, and refused blank or masked (`config/schema/certificates.ts`)",
    refusedBy: ["acme-dns-secret-present"],
  },
  {
    number: 4,
    title: "A wildcard needs DNS-01",
    preventedBy: "a wildcard is refused with a challenge that cannot prove it (`lib/desired-state/acme.ts`)",
    refusedBy: ["wildcard-needs-dns01"],
  },
  {
    number: 5,
    title: ":443 is passed through by name",
    preventedBy: "the edge looks at the SNI alone (`lib/caddy/config.ts`)",
    refusedBy: ["stalwart-tls-not-terminated"],
  },
  {
    number: 7,
    title: "Certificates are rationed",
    preventedBy: "a name is ordered by one client alone (`config/schema/certificates.ts`)",
    refusedBy: ["one-acme-client-per-name"],
  },
  {
    number: 8,
    title: "AAAA of a relay",
    preventedBy:
      "a relay is a MagicDNS name, or one with an A record only (`lib/desired-state/primitives.ts`)",
    refusedBy: ["relay-target-ipv4-only"],
  },
  {
    number: 9,
    title: "IPv6 of the host is not the container's",
    preventedBy: "nothing in the stack counts on IPv6 (`components/TailnetSidecar.ts`)",
    refusedBy: ["no-container-ipv6-assumed"],
  },
  {
    number: 10,
    title: "The provider blocks outbound SMTP",
    preventedBy: "mail leaves through a relay on the tailnet (`lib/tailnet/flows.ts`)",
    refusedBy: ["no-direct-smtp-egress"],
  },
  {
    number: 12,
    title: "Routes that did not change",
    preventedBy: "each deploy writes, reloads, reads back and proves the route (`provider/server/probe.ts`)",
    refusedBy: ["route-change-restarts"],
  },
  {
    number: 14,
    title: "A route that nobody knows",
    preventedBy: "names of routes are checked before anything is written (`lib/desired-state/schema.ts`)",
    refusedBy: ["relay-route-exists"],
  },
  {
    number: 15,
    title: "Two servers on one port",
    preventedBy: "one listener on :443, and `up` names who has a port (`lib/caddy/config.ts`)",
    refusedBy: ["edge-port-conflict"],
  },
  { number: 17, title: "AAAA of the mail host without IPv6 at the edge", preventedBy: "", refusedBy: [] },
  { number: 18, title: "A DNS API that appends", preventedBy: "", refusedBy: [] },
  { number: 19, title: "ed25519 signatures", preventedBy: "", refusedBy: [] },
  {
    number: 20,
    title: "Postgres' last slots",
    preventedBy:
      "Postgres gives a connection up after 30 s without an answer (`lib/desired-state/stores.ts`)",
    refusedBy: [],
  },
];
