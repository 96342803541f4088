// A mail program for the lab's outside world: `node lab/mail/client.ts VERB`, its
// order as JSON on stdin (so that no password stands in argv), its answer as JSON on stdout.
import { text } from "node:stream/consumers";
import { connect as tlsConnect } from "node:tls";

import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";

export interface SendOrder {
  host: string;
  port: number;
  /** TLS from the first byte. */
  secure: boolean;
  auth?: { user: string; pass: string };
  from: string;
  to: string;
  subject: string;
  body: string;
  /** A whole message in the place of one that is made of subject and body. */
  raw?: string;
}

export interface ManyOrder {
  host: string;
  port: number;
  /**
   * The senders are `someone@1.<domain>` and so on: Stalwart takes 25 an hour of one domain for one
   * recipient.
   */
  domain: string;
  to: string;
  count: number;
  /** Over how long they are spread. Seconds; Stalwart takes five a second of one address. */
  during: number;
}

export interface FetchOrder {
  host: string;
  port: number;
  user: string;
  pass: string;
  subject: string;
  /** How long to wait for the message to appear. Seconds. */
  within: number;
}

export interface ListOrder {
  host: string;
  port: number;
  user: string;
  pass: string;
  /** Of messages whose Message-ID begins with it. */
  prefix: string;
  /** Deletes them as well. */
  remove: boolean;
}

export interface TlsOrder {
  host: string;
  port: number;
  /** Server name in the ClientHello; none when empty. */
  servername: string;
  /** Root in PEM by which the certificate must be good; without it any is. */
  ca?: string;
}

// Until the first one is issued Stalwart's certificate is self-signed; which one is shown is what
// `tls` is for.
const LAX = { rejectUnauthorized: false };

async function send(order: SendOrder) {
  const { host, port, secure, auth, from, to, subject, body, raw } = order;
  const transport = createTransport({
    host,
    port,
    secure,
    auth,
    tls: LAX,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
  });
  const message = raw === undefined ? { from, to, subject, text: body } : { envelope: { from, to }, raw };
  const sent = await transport.sendMail(message);
  return { response: sent.response, messageId: sent.messageId };
}

/** Messages on connections of their own, each at its time, whatever has become of those before. */
async function sendMany({ count, during, domain, ...order }: ManyOrder) {
  const message = { ...order, secure: false, body: "hello" };
  const sent = Array.from({ length: count }, async (_, n) => {
    await new Promise((resolve) => setTimeout(resolve, (n * during * 1000) / count));
    return send({ ...message, from: `someone@${n + 1}.${domain}`, subject: `${n + 1} of ${count}` });
  });
  const ends = await Promise.allSettled(sent);
  const refused = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
  return { taken: count - refused.length, refused };
}

async function fetchMessage({ host, port, user, pass, subject, within }: FetchOrder) {
  const client = new ImapFlow({ host, port, secure: true, auth: { user, pass }, tls: LAX, logger: false });
  const deadline = Date.now() + within * 1000;
  await client.connect();
  try {
    for (;;) {
      await client.mailboxOpen("INBOX");
      const found = await client.search({ header: { subject } });
      const last = found ? found.at(-1) : undefined;
      if (last !== undefined) {
        const message = await client.fetchOne(String(last), { source: true });
        if (message !== false && message.source) return { source: message.source.toString("utf8") };
      }
      if (Date.now() >= deadline) throw new Error(`no message with that subject within ${within} s`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    await client.logout().catch(() => undefined);
  }
}

/** What is in all mailboxes; see Listed. */
async function listMessages({ host, port, user, pass, prefix, remove }: ListOrder) {
  const client = new ImapFlow({ host, port, secure: true, auth: { user, pass }, tls: LAX, logger: false });
  await client.connect();
  const found: string[] = [];
  const bounced: string[] = [];
  try {
    for (const { path } of await client.list()) {
      const { exists } = await client.mailboxOpen(path);
      if (exists === 0) continue;
      const uids: number[] = [];
      const notices: number[] = [];
      for await (const { envelope, uid } of client.fetch("1:*", { envelope: true, uid: true })) {
        const id = envelope?.messageId?.replace(/^</, "") ?? "";
        if (/^mailer-daemon@/i.test(envelope?.from?.[0]?.address ?? "")) notices.push(uid);
        if (!id.startsWith(prefix)) continue;
        found.push(id);
        uids.push(uid);
      }
      for (const uid of notices) {
        const notice = await client.fetchOne(String(uid), { source: true }, { uid: true });
        const text = (notice !== false && notice.source?.toString("utf8")) || "";
        const id = /^Message-ID: <([^>]+)>/im.exec(text.slice(text.indexOf("\r\n\r\n")))?.[1] ?? "";
        if (!id.startsWith(prefix)) continue;
        bounced.push(id);
        uids.push(uid);
      }
      if (remove && uids.length > 0) await client.messageDelete(uids, { uid: true });
    }
    return { found, bounced };
  } finally {
    await client.logout().catch(() => undefined);
  }
}

function inspectTls({ host, port, servername, ca }: TlsOrder) {
  const trust = ca === undefined ? LAX : { ca };
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host, port, servername, ...trust, timeout: 10_000 }, () => {
      const { subject, issuer, subjectaltname, serialNumber } = socket.getPeerCertificate();
      resolve({ subject, issuer, subjectaltname, serialNumber });
      socket.end();
    });
    socket.on("error", reject);
    socket.on("timeout", () => reject(new Error("timeout")));
  });
}

const order = JSON.parse(await text(process.stdin)) as never;
const verbs = { send, many: sendMany, fetch: fetchMessage, list: listMessages, tls: inspectTls };
const verb = verbs[process.argv[2] as keyof typeof verbs];
if (verb === undefined) {
  console.error(
    `usage: node lab/mail/client.ts ${Object.keys(verbs).join("|")}  (an order as JSON on stdin)`,
  );
  process.exit(2);
}
try {
  console.log(JSON.stringify(await verb(order)));
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
