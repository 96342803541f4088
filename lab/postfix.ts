// Postfix, as far as the lab's mail servers are alike: every domain is theirs, every address the
// same mailbox.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDaemon, stopDaemon } from "./daemon.ts";
import { INSIDE, runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import type { Machine } from "./topology.ts";

/** Postfix's folder as the machine sees it; it is `postfix` in the machine's own one. */
export const HOME = `${INSIDE}/postfix`;
/** Owner of the delivered messages: some number without an account. */
const MAIL_OWNER = 5000;

export interface MailServer {
  machine: Machine;
  /** What it calls itself. */
  hostname: string;
  /** Ports, or names of them (services(5)); the last is asked whether it is ready. */
  ports: readonly (string | number)[];
  /** Settings (postconf(5)) beside those that all have. */
  settings: Readonly<Record<string, string>>;
}

/** Makes the folders of a machine's Postfix. Returns where its configuration is. */
export function prepareMailServer(machine: Machine): string {
  const folder = join(machine.dir, "postfix");
  for (const name of ["conf", "queue", "mail"])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
  chownSync(join(folder, "mail"), MAIL_OWNER, MAIL_OWNER);
  return join(folder, "conf");
}

/** Starts a machine's Postfix, or finds it running. */
export async function startMailServer(server: MailServer): Promise<boolean> {
  const { machine, ports } = server;
  const folder = prepareMailServer(machine);
  writeFileSync(join(folder, "main.cf"), mainConfig(server));
  const listeners = ports.map((port) => `${port} inet n - n - - smtpd\n`);
  writeFileSync(join(folder, "master.cf"), listeners.join("") + MASTER);
  await runIn(machine, ["install", "-d", "-o", "postfix", "-m", "0700", `${HOME}/data`]);
  const command = [toolPath("postfix"), "-c", `${HOME}/conf`, "start-fg"];
  const greeting = [
    "bash",
    "-c",
    `exec 3<>/dev/tcp/127.0.0.1/${ports.at(-1)}; read -r -t 5 line <&3; echo "$line"`,
  ];
  return startDaemon({ machine, name: "postfix", command }, async () => {
    const { stdout } = await runIn(machine, greeting, { allowFailure: true });
    return stdout.startsWith("220");
  });
}

/** Stops a machine's Postfix: its ports are closed when this returns. */
export async function stopMailServer(machine: Machine): Promise<void> {
  // Its master is no child of the command that started it, and outlives that.
  await runIn(machine, [toolPath("postfix"), "-c", `${HOME}/conf`, "stop"], { allowFailure: true });
  await stopDaemon({ machine, name: "postfix" });
}

/** The folder that all messages are delivered into, a file each. */
export const maildirOf = (machine: Machine): string => join(machine.dir, "postfix", "mail", "inbox", "new");

/** All messages that a machine's Postfix has taken, each with its headers, oldest first. */
export function deliveredTo(machine: Machine): string[] {
  const folder = maildirOf(machine);
  if (!existsSync(folder)) return [];
  // A maildir's names begin with the time of delivery.
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));
}

function mainConfig({ hostname, settings }: MailServer): string {
  const all = {
    compatibility_level: "3.6",
    myhostname: hostname,
    mydestination: "",
    inet_interfaces: "all",
    inet_protocols: "all",
    queue_directory: `${HOME}/queue`,
    data_directory: `${HOME}/data`,
    maillog_file: "/dev/stdout",
    virtual_mailbox_domains: "static:all",
    virtual_mailbox_maps: "static:inbox/",
    virtual_mailbox_base: `${HOME}/mail`,
    virtual_uid_maps: `static:${MAIL_OWNER}`,
    virtual_gid_maps: `static:${MAIL_OWNER}`,
    alias_maps: "",
    alias_database: "",
    smtpd_relay_restrictions: "permit_mynetworks reject_unauth_destination",
    smtpd_peername_lookup: "no",
    ...settings,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");
}

/**
 * name, type, private, unprivileged, chroot, wakeup, maxproc, command (master(5)): as Debian's,
 * without chroots.
 */
const MASTER = `
pickup     unix       n - n 60 1 pickup
cleanup    unix       n - n - 0 cleanup
qmgr       unix       n - n 300 1 qmgr
tlsmgr     unix       - - n 1000? 1 tlsmgr
rewrite    unix       - - n - - trivial-rewrite
bounce     unix       - - n - 0 bounce
defer      unix       - - n - 0 bounce
trace      unix       - - n - 0 bounce
verify     unix       - - n - 1 verify
flush      unix       n - n 1000? 0 flush
proxymap   unix       - - n - - proxymap
proxywrite unix       - - n - 1 proxymap
smtp       unix       - - n - - smtp
relay      unix       - - n - - smtp
showq      unix       n - n - - showq
error      unix       - - n - - error
retry      unix       - - n - - error
discard    unix       - - n - - discard
local      unix       - n n - - local
virtual    unix       - n n - - virtual
lmtp       unix       - - n - - lmtp
anvil      unix       - - n - 1 anvil
scache     unix       - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
`.trimStart();
