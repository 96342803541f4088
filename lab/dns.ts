import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { signalDaemon, startDaemon } from "./daemon.ts";
import { ADDRESSES, FAKE_ADDRESSES, type Layout } from "./topology.ts";
import { runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { isOpen } from "./run.ts";
import { secretsOf } from "./secrets.ts";

const { edge, mail, net, outside } = ADDRESSES;

/** The smarthost's IPv6 address (RFC 3849): in the DNS alone, but for lesson 9. */
export const MAIL_IPV6 = "2001:db8::25";

/** What the lab's mail needs beside the mail host itself, as `npm run dns` prints it. */
const MAIL_RECORDS = [
  "lab.test. MX 10 mail.lab.test.",
  `lab.test. TXT "v=spf1 ip4:${mail} ~all"`,
  '_dmarc.lab.test. TXT "v=DMARC1; p=none"',
  '_mta-sts.lab.test. TXT "v=STSv1; id=78887cd2f4026ec7ffe700300ad8f0a4"',
  ...Object.entries({ _submissions: 465, _submission: 587, _imaps: 993, _imap: 143 }).map(
    ([service, port]) => `${service}._tcp.lab.test. SRV 0 1 ${port} mail.lab.test.`,
  ),
  ...["_jmap", "_caldavs", "_carddavs"].map((web) => `${web}._tcp.lab.test. SRV 0 1 443 mail.lab.test.`),
  // Not offered.
  ...["_pop3s", "_pop3"].map((service) => `${service}._tcp.lab.test. SRV 0 0 0 .`),
];

/** The public names of the lab's internet, by zone. Everything else does not exist. */
const ZONES: Record<string, string[]> = {
  "lab.test": [
    ...MAIL_RECORDS,
    ...["mail", "mta-sts", "autoconfig", "autodiscover", "ua-auto-config", "www"].map(
      (name) => `${name}.lab.test. A ${edge}`,
    ),
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
  "lab-ca.test": [`acme.lab-ca.test. A ${net}`],
  // Services out of reach, each a fake that runs only when it is asked for (lab/fakes/).
  "spaceship.dev": [`spaceship.dev. A ${FAKE_ADDRESSES.spaceship}`],
  "certspotter.com": [`api.certspotter.com. A ${FAKE_ADDRESSES.certspotter}`],
  "113.0.203.in-addr.arpa": Object.entries({
    [edge]: "mail.lab.test",
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
 * Where Knot notes its process id, in the machine: it must go with the machine, whose next process
 * of that number it would be taken for.
 */
const RUN = "/run/knot";

/** Starts the lab internet's DNS server (Knot, with the zones above), or finds it running. */
export async function startDns(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  const folder = join(machine.dir, "dns");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // An authority for the empty root answers that all other names do not exist.
  for (const [zone, records] of Object.entries({ ...ZONES, "": [] }))
    writeFileSync(join(folder, `${zone}.zone`), zoneFile(zone, records));
  const configFile = join(folder, "knot.conf");
  writeFileSync(configFile, knotConfig(layout, folder), { mode: 0o600 });
  await runIn(machine, ["mkdir", "-p", RUN]);
  const daemon = { machine, name: "dns", command: [toolPath("knotd"), "--config", configFile] };
  return startDaemon(daemon, () => isOpen(machine.netns, layout.dns, 53));
}

/**
 * Publishes a zone with other records, as its owner would at her provider; what was written into it
 * by update is gone.
 *
 * @param change what becomes of the lab's own records, one a line: none for these themselves
 */
export function publishZone(
  layout: Layout,
  zone: string,
  change: (records: readonly string[]) => readonly string[] = (records) => records,
): void {
  const machine = layout.machines.net;
  const serial = Math.floor(Date.now() / 1000);
  const text = zoneFile(zone, change(ZONES[zone] ?? []), serial);
  writeFileSync(join(machine.dir, "dns", `${zone}.zone`), text);
  signalDaemon({ machine, name: "dns" }, "SIGHUP");
}

/**
 * The SOA's last number is how long "there is no such name" may be remembered: a challenge's record
 * is looked for once it is written.
 */
function zoneFile(zone: string, records: readonly string[], serial = 1): string {
  const below = (label: string) => (zone === "" ? `${label}.` : `${label}.${zone}.`);
  return [
    "$TTL 5",
    `${zone}. SOA ${below("ns")} ${below("hostmaster")} ${serial} 3600 600 86400 5`,
    `${zone}. NS ${below("ns")}`,
    `${below("ns")} A ${net}`,
    ...records,
    "",
  ].join("\n");
}

/**
 * Knot's configuration. At the level "debug" its log says by which key a record was written, or
 * refused.
 */
function knotConfig(layout: Layout, folder: string): string {
  const zones = Object.keys(ZONES).flatMap((zone) => [
    `  - domain: ${zone}.`,
    ...(zone === layout.mailDomain ? ["    acl: acme"] : []),
  ]);
  return `server:
    rundir: ${RUN}
    listen: ${net}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: ${folder}
log:
  - target: stdout
    any: info
    zone: debug
key:
  - id: ${TSIG.keyName}
    algorithm: ${TSIG.algorithm}
    secret: ${secretsOf(layout).tsigKey}
acl:
  - id: acme
    key: ${TSIG.keyName}
    # Of any type: Stalwart first deletes whatever has the name, and adds nothing where something is
    # left (dns-update 0.1.6 providers/rfc2136.rs).
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: _acme-challenge.${layout.mailDomain}.
template:
  - id: default
    storage: ${folder}
    file: "%s.zone"
    # What is written by update is kept in memory alone.
    zonefile-sync: -1
    journal-content: none
    semantic-checks: false
zone:
${zones.join("\n")}
  - domain: .
    file: .zone
`;
}
