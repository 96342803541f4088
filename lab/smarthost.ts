import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { KEY } from "./ca.ts";
import { startDaemon, stopDaemon } from "./daemon.ts";
import type { Layout } from "./topology.ts";
import { INSIDE, runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { run } from "./run.ts";

/** The smarthost on the tailnet. */
export const SMARTHOST = { host: "mailbox", port: 587 };
/** A further port, which the provider of the KVM lets out: the way past the tailnet. */
export const PUBLIC_PORT = 2526;

const HOME = `${INSIDE}/postfix`;
/** Owner of the delivered messages: some number without an account. */
const MAIL_OWNER = 5000;

/**
 * Starts the smarthost (Postfix) on the machine `mail`, or finds it running. It takes mail for
 * every domain, on :25, :587 and :2526 of both its addresses, offers STARTTLS with a
 * certificate of its own, and delivers all of it into one maildir.
 */
export async function startSmarthost(layout: Layout): Promise<boolean> {
  const machine = layout.machines.mail;
  const folder = join(machine.dir, "postfix");
  for (const name of ["conf", "queue", "mail"])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
  chownSync(join(folder, "mail"), MAIL_OWNER, MAIL_OWNER);
  await ensureCertificate(layout, join(folder, "conf"));
  writeFileSync(join(folder, "conf", "main.cf"), mainConfig(layout));
  writeFileSync(join(folder, "conf", "master.cf"), MASTER);
  await runIn(machine, ["install", "-d", "-o", "postfix", "-m", "0700", `${HOME}/data`]);
  const command = [toolPath("postfix"), "-c", `${HOME}/conf`, "start-fg"];
  const greeting = ["bash", "-c", 'exec 3<>/dev/tcp/127.0.0.1/587; read -r -t 5 line <&3; echo "$line"'];
  return startDaemon({ machine, name: "postfix", command }, async () => {
    const { stdout } = await runIn(machine, greeting, { allowFailure: true });
    return stdout.startsWith("220");
  });
}

/** Stops the smarthost: its ports are closed when this returns. */
export async function stopSmarthost(layout: Layout): Promise<void> {
  const machine = layout.machines.mail;
  // Its master is no child of the command that started it, and outlives that.
  await runIn(machine, [toolPath("postfix"), "-c", `${HOME}/conf`, "stop"], { allowFailure: true });
  await stopDaemon({ machine, name: "postfix" });
}

/** The folder that all messages are delivered into, a file each. */
export const maildirOf = (layout: Layout): string =>
  join(layout.machines.mail.dir, "postfix", "mail", "inbox", "new");

/** All messages that the smarthost has taken, each with its headers, oldest first. */
export function receivedMessages(layout: Layout): Promise<string[]> {
  const folder = maildirOf(layout);
  if (!existsSync(folder)) return Promise.resolve([]);
  // A maildir's names begin with the time of delivery.
  return Promise.resolve(
    readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name), "utf8")),
  );
}

function mainConfig(layout: Layout): string {
  const settings = {
    compatibility_level: "3.6",
    myhostname: `${SMARTHOST.host}.${layout.tailnet.domain}`,
    mydestination: "",
    mynetworks: "127.0.0.0/8 100.64.0.0/10 [fd7a:115c:a1e0::]/48",
    inet_interfaces: "all",
    inet_protocols: "all",
    queue_directory: `${HOME}/queue`,
    data_directory: `${HOME}/data`,
    maillog_file: "/dev/stdout",
    // Every domain is ours, every address the same mailbox.
    virtual_mailbox_domains: "static:all",
    virtual_mailbox_maps: "static:inbox/",
    virtual_mailbox_base: `${HOME}/mail`,
    virtual_uid_maps: `static:${MAIL_OWNER}`,
    virtual_gid_maps: `static:${MAIL_OWNER}`,
    alias_maps: "",
    alias_database: "",
    smtpd_relay_restrictions: "permit_mynetworks reject_unauth_destination",
    smtpd_tls_security_level: "may",
    smtpd_tls_cert_file: `${HOME}/conf/cert.pem`,
    smtpd_tls_key_file: `${HOME}/conf/key.pem`,
    smtpd_tls_loglevel: "1",
    smtpd_tls_received_header: "yes",
    smtpd_peername_lookup: "no",
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");
}

/**
 * name, type, private, unprivileged, chroot, wakeup, maxproc, command (master(5)): as Debian's,
 * without chroots.
 */
const MASTER = `
smtp       inet       n - n - - smtpd
submission inet       n - n - - smtpd
${PUBLIC_PORT}       inet       n - n - - smtpd
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

async function ensureCertificate(layout: Layout, folder: string): Promise<void> {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  if (existsSync(cert)) return;
  const name = `${SMARTHOST.host}.${layout.tailnet.domain}`;
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  await run("openssl", ["req", "-x509", ...KEY, ...subject, "-keyout", key, "-out", cert]);
}
