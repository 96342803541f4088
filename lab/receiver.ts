// A mail server of somebody out there who judges what comes, as large receivers do: Postfix, with
// OpenDKIM, or with Mail::DKIM, which knows no ed25519 as some of them do not, and OpenDMARC, which
// looks at SPF, too. It runs only when it is asked for.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startDaemon, stopDaemon } from "./daemon.ts";
import { INSIDE } from "./machine.ts";
import { deliveredTo, startMailServer, stopMailServer } from "./postfix.ts";
import { toolPath } from "./programs.ts";
import { isOpen } from "./run.ts";
import type { Layout } from "./topology.ts";

/** Its addresses' domain, which the smarthost sends to by its MX. */
export const RECEIVER_DOMAIN = "receiver.test";

const MAIL_DKIM = fileURLToPath(new URL("mail-dkim-milter.pl", import.meta.url));

/** Who judges signatures, a milter on a port of loopback. */
const DKIM_JUDGES = {
  opendkim: {
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
  "mail-dkim": { name: "mail-dkim", port: 8892 },
} as const;

/** Which of them a receiver has. OpenDKIM knows ed25519, Mail::DKIM does not. */
export type DkimJudge = keyof typeof DKIM_JUDGES;

/** Who judges by what the other one has said, and by SPF. */
const DMARC_JUDGE = {
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
} as const;

const ALL_JUDGES = [...Object.values(DKIM_JUDGES), DMARC_JUDGE];
type Judge = (typeof ALL_JUDGES)[number];

/**
 * Has OpenDKIM's resolver (libunbound) ask the lab's server as one that has zones, which it is, and
 * not as one that looks up for others; and for names below `test.`, too, which by itself it denies
 * (RFC 6761 §6.2).
 */
const unboundConfig = (dns: string) =>
  `server:\n  local-zone: "test." nodefault\nstub-zone:\n  name: "."\n  stub-addr: ${dns}\n`;

/** Starts the receiver on the machine `outside`, or finds it running. */
export async function startReceiver(layout: Layout, dkim: DkimJudge = "opendkim"): Promise<void> {
  const machine = layout.machines.outside;
  const folder = join(machine.dir, "milters");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, "unbound.conf"), unboundConfig(layout.dns));
  const judges = [DKIM_JUDGES[dkim], DMARC_JUDGE];
  for (const judge of judges) {
    const { name, port } = judge;
    const command = commandOf(judge, folder);
    await startDaemon({ machine, name, command }, () => isOpen(machine.netns, "127.0.0.1", port));
  }
  await startMailServer({
    machine,
    hostname: `mx.${RECEIVER_DOMAIN}`,
    ports: ["smtp"],
    settings: {
      mynetworks: "127.0.0.0/8",
      smtpd_milters: judges.map(({ port }) => `inet:127.0.0.1:${port}`).join(" "),
      milter_default_action: "tempfail",
    },
  });
}

/** What a judge is started by, with its config in the folder where it has one. */
function commandOf(judge: Judge, folder: string): string[] {
  if (judge.name === "mail-dkim") return [toolPath("perl"), MAIL_DKIM, `${judge.port}`, RECEIVER_DOMAIN];
  const { name, configFlag, port, config } = judge;
  const settings = { ...config, Socket: `inet:${port}@127.0.0.1`, Syslog: "no" };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
  writeFileSync(join(folder, `${name}.conf`), lines.join(""));
  return [toolPath(name), "-f", configFlag, `${INSIDE}/milters/${name}.conf`];
}

/** Stops the receiver. */
export async function stopReceiver(layout: Layout): Promise<void> {
  const machine = layout.machines.outside;
  await stopMailServer(machine);
  // They hold nothing, and a milter looks only each 5 s whether it shall end.
  for (const { name } of ALL_JUDGES) await stopDaemon({ machine, name }, { signalName: "SIGKILL" });
}

/** Puts a receiver there that has not asked before: records are remembered for minutes. */
export async function renewReceiver(layout: Layout, dkim?: DkimJudge): Promise<void> {
  await stopReceiver(layout);
  await startReceiver(layout, dkim);
}

/**
 * What each judge says of a message: `{ spf: "pass", dkim: "pass", dmarc: "pass" }`; of several
 * signatures each: `dkim: "neutral pass"`.
 */
export type Judgement = Partial<Record<"spf" | "dkim" | "dmarc", string>>;

const RESULTS = /^Authentication-Results: receiver\.test;([^]*?)\n(?!\s)/gm;

const delivered = (layout: Layout, text: string): string | undefined =>
  deliveredTo(layout.machines.outside).findLast((each) => each.includes(text));

/** The words of it, with their reasons: `dkim=neutral (unsupported algorithm ed25519-sha256)`. */
const SAID = /\b(spf|dkim|dmarc)=(\w+)(?: \([^)]*\))?/g;

/**
 * What was said of the last message that has a text, such as its subject or whom it was for, in
 * words; undefined before it is there.
 */
export const saidOf = (layout: Layout, text: string): string[] | undefined =>
  delivered(layout, text)
    ?.match(RESULTS)
    ?.flatMap((each) => each.match(SAID) ?? []);

/** The same by method. */
export function judgementOf(layout: Layout, text: string): Judgement | undefined {
  const said = saidOf(layout, text)?.map((words) => [...words.matchAll(SAID)][0] ?? []);
  if (said === undefined) return undefined;
  const methods = Map.groupBy(said, ([, method]) => method);
  return Object.fromEntries(
    [...methods].map(([method, all]) => [method, all.map(([, , result]) => result).join(" ")]),
  );
}

/** The last message that has a text as it came, without what the receiver has said of it. */
export const messageWith = (layout: Layout, text: string): string | undefined =>
  delivered(layout, text)?.replaceAll(RESULTS, "");
