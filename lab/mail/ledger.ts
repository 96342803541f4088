/** The sender's book of what it was told: one line of JSON an attempt. */

/** In from the internet by the edge's :25, or out by submission and the smarthost. */
export type Way = "in" | "out";

/** How far an attempt came. */
export type Stage = "connect" | "greeting" | "ehlo" | "auth" | "mail" | "rcpt" | "data" | "body";

/** One attempt to hand a message over. */
export interface Attempt {
  /** The message's own id; its Message-ID, and part of its envelope. */
  id: string;
  way: Way;
  /** 1 for the first. */
  attempt: number;
  /** The client's address. */
  from: string;
  /** Milliseconds since the epoch. */
  began: number;
  ended: number;
  stage: Stage;
  /** The server's reply; none when there was only an error. */
  code?: number;
  text?: string;
  error?: string;
  /**
   * The message was sent to its end and nothing was heard: whether the server has it nobody knows,
   * and a sender must try again (RFC 5321, 4.5.3.2.6 and RFC 1047).
   */
  inDoubt?: true;
}

/** Domain whose subdomains the messages come from, and the one that they go out to. */
export const SENDERS = "senders.test";
export const RECIPIENTS = "recipients.test";

/** A message's Message-ID, without brackets. */
export const messageIdOf = (id: string): string => `${id}@ledger.test`;

/** The ids of a run in a text: of headers, or of an envelope. */
export function idsIn(text: string, run: string): string[] {
  return [...text.matchAll(new RegExp(`\\b${run}-\\d+(?=[@.])`, "g"))].map(([id]) => id);
}

export const isTaken = ({ code }: Attempt): boolean => code !== undefined && code >= 200 && code < 300;
/** What a sender does not try again. */
export const isRefusedForGood = ({ code }: Attempt): boolean => code !== undefined && code >= 500;
