import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDaemon, waitForDaemon } from "./daemon.ts";
import { ADDRESSES, type Layout } from "./layout.ts";
import { toolPath } from "./programs.ts";
import { runInNetns } from "./run.ts";

const { edge, mail, outside } = ADDRESSES;

/** The public names of the lab's internet, by zone. Everything else does not exist. */
export const ZONES: Record<string, string[]> = {
  "lab.test": [
    "lab.test. MX 10 mail.lab.test.",
    'lab.test. TXT "v=spf1 mx -all"',
    ...["mail", "mta-sts", "autoconfig", "autodiscover", "www"].map((name) => `${name}.lab.test. A ${edge}`),
    // A relay must not have an AAAA record (lesson 8).
    `dual.lab.test. A ${mail}`,
    "dual.lab.test. AAAA 2001:db8::25",
  ],
  // Where the mail out goes: its own MX is the smarthost's public side, which the VPS cannot reach.
  "elsewhere.test": ["elsewhere.test. MX 10 mx.elsewhere.test.", `mx.elsewhere.test. A ${mail}`],
  "outside.test": [
    "outside.test. MX 10 mx.outside.test.",
    `mx.outside.test. A ${outside}`,
    `outside.test. TXT "v=spf1 ip4:${outside} -all"`,
  ],
};

/** Starts the lab internet's DNS server (unbound, authoritative for the zones above), or finds it running. */
export async function startDns(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  const configFile = join(machine.dir, "unbound.conf");
  writeFileSync(configFile, unboundConfig());
  const daemon = { machine, name: "dns" };
  const started = await startDaemon(layout, {
    ...daemon,
    command: [toolPath("unbound"), "-d", "-p", "-c", configFile],
  });
  const probe = ["bash", "-c", `: < /dev/tcp/${layout.dns}/53`];
  await waitForDaemon(
    layout,
    daemon,
    async () => (await runInNetns(machine.netns, probe, { allowFailure: true })).code === 0,
  );
  return started;
}

function unboundConfig(): string {
  const reverse: [string, string][] = [
    [edge, "mail.lab.test"],
    [mail, "mx.elsewhere.test"],
    [outside, "mx.outside.test"],
  ];
  const quoted = (record: string) => `  local-data: '${record}'`;
  return [
    "server:",
    `  interface: ${ADDRESSES.net}`,
    "  access-control: 0.0.0.0/0 allow",
    '  chroot: ""',
    '  username: ""',
    "  use-syslog: no",
    '  logfile: ""',
    // Nothing to ask and no key to check against: there is no internet.
    '  module-config: "iterator"',
    '  local-zone: "." static',
    ...Object.entries(ZONES).flatMap(([zone, records]) => [
      `  local-zone: "${zone}." static`,
      quoted(`${zone}. SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 5`),
      ...records.map(quoted),
    ]),
    '  local-zone: "113.0.203.in-addr.arpa." static',
    ...reverse.map(([address, name]) => `  local-data-ptr: "${address} ${name}"`),
    "remote-control:",
    "  control-enable: no",
    "",
  ].join("\n");
}
