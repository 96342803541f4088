import type { TLSSocket } from "node:tls";

import { isAmong, patternSet } from "../../lib/dns/name-patterns.ts";

/** A certificate, as a server has shown it. */
export interface Shown {
  /** DNS names that it is for. */
  names: string[];
  issuer: string;
  from: Date;
  until: Date;
  selfSigned: boolean;
  /** Why the public CAs of this machine do not vouch for it; "" where they do. */
  distrust: string;
  fingerprint: string;
}

/** What a TLS connection's server has shown; undefined for none. */
export function shownBy(secure: TLSSocket): Shown | undefined {
  const {
    subjectaltname = "",
    issuer,
    subject,
    valid_from,
    valid_to,
    fingerprint256,
  } = secure.getPeerCertificate();
  if (valid_to === undefined) return undefined;
  return {
    names: [...subjectaltname.matchAll(/DNS:([^,]+)/g)].map(([, name = ""]) => name.trim().toLowerCase()),
    issuer: String(issuer.O ?? issuer.CN ?? "nobody"),
    from: new Date(valid_from),
    until: new Date(valid_to),
    selfSigned: JSON.stringify(issuer) === JSON.stringify(subject),
    distrust: secure.authorized ? "" : String(secure.authorizationError ?? "unknown"),
    fingerprint: fingerprint256,
  };
}

/** @example covers(["*.example.org"], "mail.example.org") === true */
export const covers = (names: readonly string[], host: string): boolean => isAmong(host, patternSet(names));

/** Whole days until a certificate ends; negative when it has. */
export const daysLeft = ({ until }: Pick<Shown, "until">, now: Date): number =>
  Math.floor((until.getTime() - now.getTime()) / 86_400_000);

/**
 * Whether a certificate should have been renewed by now: less than a fifth of its life is left.
 * Stalwart renews at a third or half (lib/desired-state/acme-clients.ts).
 */
export const isOverdue = ({ from, until }: Pick<Shown, "from" | "until">, now: Date): boolean =>
  until.getTime() - now.getTime() < (until.getTime() - from.getTime()) / 5;

/** Hosts of CAs that machines know by themselves: what these sign must be vouched for. */
const PUBLIC_CAS = /(^|\.)(api\.letsencrypt\.org|zerossl\.com|pki\.goog|buypass\.com|ssl\.com|sectigo\.com)$/;

/** @example isPublicCa("https://acme-v02.api.letsencrypt.org/directory") === true */
export const isPublicCa = (directory: string): boolean =>
  URL.canParse(directory) && PUBLIC_CAS.test(new URL(directory).hostname) && !directory.includes("staging");
