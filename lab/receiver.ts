// A mail server of somebody out there who judges what comes, as large receivers do: Postfix, with
// OpenDKIM, and OpenDMARC, which looks at SPF, too. It runs only when it is asked for.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDaemon, stopDaemon } from "./daemon.ts";
import { INSIDE } from "./machine.ts";
import { deliveredTo, startMailServer, stopMailServer } from "./postfix.ts";
import { toolPath } from "./programs.ts";
import { isOpen } from "./run.ts";
import type { Layout } from "./topology.ts";

/** Its addresses' domain, which the smarthost sends to by its MX. */
export const RECEIVER_DOMAIN = "receiver.test";

/** Who judges, each a milter on a port of loopback, in the order in which they see a message. */
const JUDGES = [
  {
    name: "opendkim",
    configFlag: "-x",
    port: 8891,
    config: {
      Mode: "v",
      AuthservID: RECEIVER_DOMAIN,
      // Also what is unsigned, or signed in vain.
      AlwaysAddARHeader: "yes",
      ResolverConfiguration: `${INSIDE}/milters/unbound.conf`,
    },
  },
  {
    name: "opendmarc",
    configFlag: "-c",
    port: 8893,
    config: {
      AuthservID: RECEIVER_DOMAIN,
      TrustedAuthservIDs: RECEIVER_DOMAIN,
      SPFIgnoreResults: "true",
      SPFSelfValidate: "true",
      // Says what it thinks, and takes all.
      RejectFailures: "false",
    },
  },
] as const;

/**
 * Has OpenDKIM's resolver (libunbound) ask the lab's server as one that has zones, which it is, and
 * not as one that looks up for others; and for names below `test.`, too, which by itself it denies
 * (RFC 6761 §6.2).
 */
const unboundConfig = (dns: string) =>
  `server:\n  local-zone: "test." nodefault\nstub-zone:\n  name: "."\n  stub-addr: ${dns}\n`;

/** Starts the receiver on the machine `outside`, or finds it running. */
export async function startReceiver(layout: Layout): Promise<void> {
  const machine = layout.machines.outside;
  const folder = join(machine.dir, "milters");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, "unbound.conf"), unboundConfig(layout.dns));
  for (const { name, configFlag, port, config } of JUDGES) {
    const settings = { ...config, Socket: `inet:${port}@127.0.0.1`, Syslog: "no" };
    const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
    writeFileSync(join(folder, `${name}.conf`), lines.join(""));
    const command = [toolPath(name), "-f", configFlag, `${INSIDE}/milters/${name}.conf`];
    await startDaemon({ machine, name, command }, () => isOpen(machine.netns, "127.0.0.1", port));
  }
  await startMailServer({
    machine,
    hostname: `mx.${RECEIVER_DOMAIN}`,
    ports: ["smtp"],
    settings: {
      mynetworks: "127.0.0.0/8",
      smtpd_milters: JUDGES.map(({ port }) => `inet:127.0.0.1:${port}`).join(" "),
      milter_default_action: "tempfail",
    },
  });
}

/** Stops the receiver. */
export async function stopReceiver(layout: Layout): Promise<void> {
  const machine = layout.machines.outside;
  await stopMailServer(machine);
  // They hold nothing, and a milter looks only each 5 s whether it shall end.
  for (const { name } of JUDGES) await stopDaemon({ machine, name }, { signalName: "SIGKILL" });
}

/** Puts a receiver there that has not asked before: records are remembered for minutes. */
export async function renewReceiver(layout: Layout): Promise<void> {
  await stopReceiver(layout);
  await startReceiver(layout);
}

/** What each judge says of a message: `{ spf: "pass", dkim: "pass", dmarc: "pass" }`. */
export type Judgement = Partial<Record<"spf" | "dkim" | "dmarc", string>>;

/** What was said of the last message of that subject; undefined before it is there. */
export function judgementOf(layout: Layout, subject: string): Judgement | undefined {
  const message = deliveredTo(layout.machines.outside).findLast((each) => each.includes(subject));
  const results = message?.matchAll(/^Authentication-Results: receiver\.test;([^]*?)\n(?!\s)/gm);
  if (results === undefined) return undefined;
  const said = [...results].flatMap(([, text = ""]) => [...text.matchAll(/\b(spf|dkim|dmarc)=(\w+)/g)]);
  return Object.fromEntries(said.map(([, method, result]) => [method, result]));
}
