import { existsSync } from "node:fs";
import { join } from "node:path";

import { KEY } from "./ca.ts";
import {
  deliveredTo,
  HOME,
  maildirOf,
  prepareMailServer,
  startMailServer,
  stopMailServer,
} from "./postfix.ts";
import { RECEIVER_DOMAIN } from "./receiver.ts";
import { run } from "./run.ts";
import type { Layout } from "./topology.ts";

/** The smarthost on the tailnet. */
export const SMARTHOST = { host: "mailbox", port: 587 };
/** A further port, which the provider of the KVM lets out: the way past the tailnet. */
export const PUBLIC_PORT = 2526;

/**
 * Starts the smarthost (Postfix) on the machine `mail`, or finds it running. It takes mail for
 * every domain, on :25, :587 and :2526 of both its addresses, offers STARTTLS with a
 * certificate of its own, and delivers all of it into one maildir, but for what goes to the
 * receiver (lab/receiver.ts), which it hands on.
 */
export async function startSmarthost(layout: Layout): Promise<boolean> {
  const machine = layout.machines.mail;
  await ensureCertificate(layout, prepareMailServer(machine));
  return startMailServer({
    machine,
    hostname: `${SMARTHOST.host}.${layout.tailnet.domain}`,
    ports: ["smtp", PUBLIC_PORT, SMARTHOST.port],
    settings: {
      mynetworks: "127.0.0.0/8 100.64.0.0/10 [fd7a:115c:a1e0::]/48",
      transport_maps: `inline:{ ${RECEIVER_DOMAIN}=smtp: }`,
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: `${HOME}/conf/cert.pem`,
      smtpd_tls_key_file: `${HOME}/conf/key.pem`,
      smtpd_tls_loglevel: "1",
      smtpd_tls_received_header: "yes",
    },
  });
}

/** Stops the smarthost: its ports are closed when this returns. */
export const stopSmarthost = (layout: Layout): Promise<void> => stopMailServer(layout.machines.mail);

/** The folder that all messages are delivered into, a file each. */
export const smarthostMaildir = (layout: Layout): string => maildirOf(layout.machines.mail);

/** All messages that the smarthost has taken, each with its headers, oldest first. */
export const receivedMessages = (layout: Layout): string[] => deliveredTo(layout.machines.mail);

async function ensureCertificate(layout: Layout, folder: string): Promise<void> {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  if (existsSync(cert)) return;
  const name = `${SMARTHOST.host}.${layout.tailnet.domain}`;
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  await run("openssl", ["req", "-x509", ...KEY, ...subject, "-keyout", key, "-out", cert]);
}
