import type { Duplex } from "node:stream";

import { wordsOf } from "../../lib/errors.ts";
import type { MailService } from "../../lib/mail-services.ts";
import { type Shown, shownBy } from "./certificate.ts";
import { dial } from "../dial.ts";
import { Dialogue, handshake } from "../dialogue.ts";

/** What a public port said of itself. */
export interface PortSeen {
  port: number;
  /** Its greeting's first line; "" where the client speaks first. */
  banner: string;
  certificate?: Shown;
  /** Why it does not serve; "" where it does. */
  trouble: string;
  /** Of :443: the HTTP status of a path of the management API. */
  managementStatus?: string;
}

/** How a protocol greets, and how it is asked for TLS and left. */
interface Manners {
  greeting: RegExp;
  /** What is said, and how the last line of a good answer begins. */
  hello?: string;
  startTls?: readonly [line: string, good: RegExp];
  bye: string;
}

const SMTP: Manners = {
  greeting: /^220(?: .*)?$/m,
  hello: "EHLO doctor.tailwart.invalid",
  startTls: ["STARTTLS", /^220(?: .*)?$/m],
  bye: "QUIT",
};
const MANNERS: Record<MailService["protocol"], Manners | undefined> = {
  smtp: SMTP,
  imap: { greeting: /^\* OK.*$/m, startTls: ["a STARTTLS", /^a OK.*$/m], bye: "b LOGOUT" },
  pop3: { greeting: /^\+OK.*$/m, startTls: ["STLS", /^\+OK.*$/m], bye: "QUIT" },
  managesieve: { greeting: /^OK.*$/m, startTls: ["STARTTLS", /^OK.*$/m], bye: "LOGOUT" },
  http: undefined,
};

/** Path that must not be answered in public (decision 19). */
const MANAGEMENT = "/api/principal";

/**
 * Speaks with a port as a mail program does, up to TLS and a farewell: no login, no recipient, no
 * path that scanners ask for, so that it counts towards no ban.
 *
 * @param name the server's name, sent as SNI
 */
export async function seePort(
  service: MailService,
  host: string,
  name: string,
  open: (host: string, port: number) => Duplex = dial,
): Promise<PortSeen> {
  const seen: PortSeen = { port: service.port, banner: "", trouble: "" };
  const stream = open(host, service.port);
  // What goes wrong is told by who waits for the stream.
  stream.on("error", () => undefined);
  try {
    const manners = MANNERS[service.protocol];
    if (manners === undefined) await seeWeb(stream, name, seen);
    else await seeMail(stream, name, service.implicitTls, manners, seen);
  } catch (error) {
    seen.trouble = wordsOf(error);
  } finally {
    stream.destroy();
  }
  return seen;
}

async function seeMail(
  stream: Duplex,
  name: string,
  implicitTls: boolean,
  { greeting, hello, startTls, bye }: Manners,
  seen: PortSeen,
): Promise<void> {
  const note = (shown: Shown | undefined) => shown && (seen.certificate = shown);
  let line = stream;
  if (implicitTls) {
    const secure = await handshake(stream, name);
    note(shownBy(secure));
    line = secure;
  }
  const talk = new Dialogue(line);
  seen.banner = (await talk.answer(greeting)).split("\n")[0] ?? "";
  if (hello !== undefined) await talk.ask(hello);
  if (!implicitTls && startTls) {
    await talk.ask(...startTls);
    note(shownBy(await talk.encrypt(name)));
  }
  await talk.leave(bye);
}

async function seeWeb(stream: Duplex, name: string, seen: PortSeen): Promise<void> {
  const secure = await handshake(stream, name);
  const shown = shownBy(secure);
  if (shown) seen.certificate = shown;
  const talk = new Dialogue(secure);
  talk.say(`GET ${MANAGEMENT} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n`);
  const answer = await talk.answer(/^HTTP\/1\.[01] \d{3}.*$/m);
  seen.managementStatus = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? "";
}
