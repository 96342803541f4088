/**
 * A message that is handed in to the server over loopback, where a probe needs no login
 * (lib/desired-state/submission.ts).
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { wordsOf } from "../../lib/errors.ts";
import { UnreachableError } from "./pipe.ts";
import type { Submission } from "./routing.ts";
import type { Transport } from "./transport.ts";

/** Time for one try, in milliseconds. */
const DEADLINE = 12_000;
/** Patience for one answer, in milliseconds. */
const SILENCE = 10_000;
const INTERVAL = 250;

/**
 * Hands a message without a sender in, over TLS.
 *
 * @param message with its header, lines ended by CRLF
 * @param end until when it may be tried again, in milliseconds since the epoch
 * @returns why it was not taken, or undefined when it was
 */
export async function handIn(
  transport: Transport,
  to: Submission,
  recipient: string,
  message: string,
  end: number,
): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      await send(await transport.connect(to, DEADLINE), to, recipient, message);
      return undefined;
    } catch (error) {
      // Just after a start the listener may come a moment later than the API's.
      if (!(error instanceof UnreachableError) || tries === 3 || Date.now() + INTERVAL > end)
        return wordsOf(error);
      await sleep(INTERVAL);
    }
  }
}

type Connection = Awaited<ReturnType<Transport["connect"]>>;

async function send(pipe: Connection, to: Submission, recipient: string, message: string): Promise<void> {
  // Also for a server that takes the message and does not close.
  const timer = setTimeout(() => pipe.destroy(), DEADLINE).unref();
  pipe.once("close", () => clearTimeout(timer));
  try {
    // Not at the plugin's start, which each preview pays.
    const { createTransport } = await import("nodemailer");
    const mailer = createTransport({
      host: to.host,
      secure: to.implicitTls,
      requireTLS: true,
      // Loopback, where the certificate's name does not matter.
      tls: { rejectUnauthorized: false },
      name: "tailwart.invalid",
      connectionTimeout: SILENCE,
      socketTimeout: SILENCE,
      getSocket: (_, done) => done(null, { connection: pipe as Duplex as Socket }),
    });
    await mailer.sendMail({ envelope: { from: "", to: recipient }, raw: message });
  } catch (error) {
    pipe.destroy();
    throw error;
  }
}
