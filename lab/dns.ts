import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDaemon } from "./daemon.ts";
import { FAKE_BLOCKLISTS } from "./fakes/blocklists.ts";
import { ADDRESSES, FAKE_ADDRESSES, SECOND_DNS as SECOND, type Layout } from "./topology.ts";
import { runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { isOpen } from "./run.ts";
import { secretsOf } from "./secrets.ts";

const { edge, edge2, mail, net, outside } = ADDRESSES;

/** The smarthost's IPv6 address (RFC 3849): in the DNS alone, but for lesson 9. */
export const MAIL_IPV6 = "2001:db8::25";

/** The public names of the lab's internet, by zone. Everything else does not exist. */
const ZONES: Record<string, string[]> = {
  // The stack writes what its mail needs beside these.
  "lab.test": [
    `www.lab.test. A ${edge}`,
    `ns2.lab.test. A ${SECOND}`,
    "lab.test. NS ns2.lab.test.",
    // A relay must not have an AAAA record (lesson 8).
    `dual.lab.test. A ${mail}`,
    `dual.lab.test. AAAA ${MAIL_IPV6}`,
  ],
  // Where the mail out goes: its own MX is the smarthost's public side, which the VPS cannot reach.
  "elsewhere.test": ["elsewhere.test. MX 10 mx.elsewhere.test.", `mx.elsewhere.test. A ${mail}`],
  // Its mail server has an IPv6 address alone (lesson 9).
  "six.test": ["six.test. MX 10 mx.six.test.", `mx.six.test. AAAA ${MAIL_IPV6}`],
  "outside.test": [
    "outside.test. MX 10 mx.outside.test.",
    `mx.outside.test. A ${outside}`,
    `outside.test. TXT "v=spf1 ip4:${outside} -all"`,
  ],
  "receiver.test": ["receiver.test. MX 10 mx.receiver.test.", `mx.receiver.test. A ${outside}`],
  "lab-ca.test": [`acme.lab-ca.test. A ${net}`],
  // Services out of reach, each a fake that runs only when it is asked for (lab/fakes/).
  "spaceship.dev": [`spaceship.dev. A ${FAKE_ADDRESSES.spaceship}`],
  "certspotter.com": [`api.certspotter.com. A ${FAKE_ADDRESSES.certspotter}`],
  ...FAKE_BLOCKLISTS,
  "113.0.203.in-addr.arpa": Object.entries({
    [edge]: "mail.lab.test",
    [edge2]: "mail.lab.test",
    [mail]: "mx.elsewhere.test",
    [outside]: "mx.outside.test",
  }).map(([address, name]) => `${address.split(".").reverse().join(".")}.in-addr.arpa. PTR ${name}.`),
};

/**
 * The one key by which records are written (RFC 2136), as the owner of lab.test would have it from
 * her DNS provider.
 */
export const TSIG = { keyName: "lab-acme", algorithm: "hmac-sha256" };

/**
 * The DNS servers of the lab's internet (Knot): the first has all zones, the second copies the mail
 * domain's, as a provider's servers do.
 */
const SERVERS = [
  { name: "dns", address: net, folder: "dns", config: primaryConfig },
  { name: "dns2", address: SECOND, folder: "dns2", config: secondaryConfig },
] as const;

/** Starts the DNS servers, or finds them running. */
export async function startDns(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  await runIn(machine, ["ip", "address", "replace", `${SECOND}/32`, "dev", "br0"]);
  const started = await Promise.all(
    SERVERS.map(async ({ name, address, folder: below, config }) => {
      const folder = join(machine.dir, below);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (address === net) writeZones(folder, layout.mailDomain);
      const configFile = join(folder, "knot.conf");
      writeFileSync(configFile, config(layout, folder), { mode: 0o600 });
      await runIn(machine, ["mkdir", "-p", runOf(name)]);
      const daemon = { machine, name, command: [toolPath("knotd"), "--config", configFile] };
      return startDaemon(daemon, () => isOpen(machine.netns, address, 53));
    }),
  );
  return started.some(Boolean);
}

function writeZones(folder: string, mailDomain: string): void {
  // An authority for the empty root answers that all other names do not exist.
  for (const [zone, records] of Object.entries({ ...ZONES, "": [] })) {
    const file = join(folder, `${zone}.zone`);
    // The mail domain's is kept by Knot, with all that was written by update.
    if (zone !== mailDomain || !existsSync(file)) writeFileSync(file, zoneFile(zone, records));
  }
}

/**
 * Changes a zone as its owner does by hand at her provider.
 *
 * @param change what becomes of its records, one a line: `mail.lab.test. A 203.0.113.20`
 * @param zone by its name; `.` for the root. Default: the mail domain's
 * @returns puts back what was changed, and nothing else, at the zone's own TTL of 5 s
 */
export async function editZone(
  layout: Layout,
  change: (records: readonly string[]) => readonly string[],
  zone = layout.mailDomain,
): Promise<() => Promise<void>> {
  const machine = layout.machines.net;
  const knotc = (...args: string[]) =>
    runIn(machine, [toolPath("knotc"), "--config", join(machine.dir, "dns", "knot.conf"), ...args]);
  const { stdout } = await knotc("zone-read", zone);
  const before = stdout.split("\n").flatMap((line) => {
    // [zone.] owner TTL type data
    const [, owner, type, data] = /^\[\S+\] (\S+) \d+ (\S+) (.*)$/.exec(line) ?? [];
    return owner === undefined || type === "SOA" ? [] : [`${owner} ${type} ${data}`];
  });
  const swap = async (olds: readonly string[], news: readonly string[]) => {
    // Owner, type and data.
    const only = (some: readonly string[], others: readonly string[]) =>
      some.filter((record) => !others.includes(record)).map((record) => record.split(/ (.*?) (.*)/, 3));
    await knotc("zone-begin", zone);
    try {
      for (const record of only(olds, news)) await knotc("zone-unset", zone, ...record);
      for (const [owner = "", ...data] of only(news, olds))
        await knotc("zone-set", zone, owner, "5", ...data);
      await knotc("zone-commit", zone);
    } catch (error) {
      // One that stays open blocks every update of the zone.
      await knotc("zone-abort", zone);
      throw error;
    }
  };
  const after = change(before);
  await swap(before, after);
  return () => swap(after, before);
}

/**
 * The SOA's last number is how long "there is no such name" may be remembered: a challenge's record
 * is looked for once it is written.
 */
function zoneFile(zone: string, records: readonly string[]): string {
  const below = (label: string) => (zone === "" ? `${label}.` : `${label}.${zone}.`);
  return [
    "$TTL 5",
    `${zone}. SOA ${below("ns")} ${below("hostmaster")} 1 3600 600 86400 5`,
    `${zone}. NS ${below("ns")}`,
    `${below("ns")} A ${net}`,
    ...records,
    "",
  ].join("\n");
}

/**
 * Where a server notes its process id, in the machine: it must go with the machine, whose next
 * process of that number it would be taken for.
 */
const runOf = (name: string) => `/run/knot-${name}`;

/** What both servers' configurations begin with. */
const common = (layout: Layout, name: string, address: string, folder: string) => `server:
    rundir: ${runOf(name)}
    listen: ${address}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: ${folder}
log:
  - target: stdout
    any: info
    # By which key a record was written, or refused.
    zone: debug
key:
  - id: ${TSIG.keyName}
    algorithm: ${TSIG.algorithm}
    secret: ${secretsOf(layout).tsigKey}
`;

function primaryConfig(layout: Layout, folder: string): string {
  const zones = Object.keys(ZONES).map((zone) =>
    zone === layout.mailDomain
      ? `  - domain: ${zone}.
    notify: second
    acl: [owner, second]
    # What is written is kept in the zone's file, and so outlives the server.
    zonefile-sync: 0
`
      : `  - domain: ${zone}.\n`,
  );
  return `${common(layout, "dns", net, folder)}remote:
  - id: second
    address: ${SECOND}@53
    via: ${net}
acl:
  # Of any type: Stalwart first deletes whatever has the name, and adds nothing where something is
  # left (dns-update 0.1.6 providers/rfc2136.rs).
  - id: owner
    key: ${TSIG.keyName}
    action: update
  - id: second
    address: ${SECOND}
    action: transfer
template:
  - id: default
    storage: ${folder}
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
    semantic-checks: false
zone:
${zones.join("")}  - domain: .
    file: .zone
`;
}

function secondaryConfig(layout: Layout, folder: string): string {
  return `${common(layout, "dns2", SECOND, folder)}remote:
  - id: first
    address: ${net}@53
    via: ${SECOND}
acl:
  - id: first
    address: ${net}
    action: notify
zone:
  - domain: ${layout.mailDomain}.
    storage: ${folder}
    file: "%s.zone"
    master: first
    acl: first
    journal-content: none
    semantic-checks: false
`;
}
