import { fileURLToPath } from "node:url";

import type { Layout } from "../topology.ts";
import { runIn } from "../machine.ts";
import type { FetchOrder, ListOrder, ManyOrder, SendOrder, TlsOrder } from "./client.ts";

const CLIENT = fileURLToPath(new URL("client.ts", import.meta.url));

/** Runs the mail program on the machine `outside`, as somebody on the internet would. */
async function ask<T>(layout: Layout, verb: string, order: object, seconds: number): Promise<T> {
  const command = [process.execPath, CLIENT, verb];
  const { stdout } = await runIn(layout.machines.outside, command, {
    stdin: JSON.stringify(order),
    timeout: seconds * 1000,
  });
  return JSON.parse(stdout) as T;
}

/** Hands a message to a mail server. @throws Error with the server's words when it refuses */
export function send(layout: Layout, order: SendOrder): Promise<{ response: string; messageId: string }> {
  return ask(layout, "send", order, 45);
}

/** Hands over messages; tells how many were taken, and what was said to the others. */
export function sendMany(layout: Layout, order: ManyOrder): Promise<{ taken: number; refused: string[] }> {
  return ask(layout, "many", order, order.during + 45);
}

/** Reads a message back over IMAP. */
export function fetchMessage(layout: Layout, order: FetchOrder): Promise<{ source: string }> {
  return ask(layout, "fetch", order, order.within + 30);
}

/** Message-IDs, without their first bracket. */
export interface Listed {
  /** Of an account's messages, one for each copy. */
  found: string[];
  /** Of those that a notice in a mailbox says could not be delivered. */
  bounced: string[];
}

/** Reads what of a prefix is in an account's mailboxes. */
export function listMessages(layout: Layout, order: ListOrder): Promise<Listed> {
  return ask(layout, "list", order, 240);
}

/** What tells one certificate from another. */
export interface Certificate {
  subject: Record<string, string>;
  issuer: Record<string, string>;
  /** Such as "DNS:*.example.org". */
  subjectaltname?: string;
  serialNumber: string;
}

/**
 * Which certificate a server shows. @throws Error when `ca` is given and the certificate is not
 * good by it
 */
export function inspectTls(layout: Layout, order: TlsOrder): Promise<Certificate> {
  return ask(layout, "tls", order, 15);
}
