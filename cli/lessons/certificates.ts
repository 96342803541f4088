// Whose certificate a client outside is shown.
import { issuingRoot } from "../../lab/acme.ts";
import { type Certificate, inspectTls } from "../../lab/mail/outside.ts";
import type { Bench } from "./bench.ts";

/** A name and what a client that asks for it sees. */
export interface Shown {
  name: string;
  /** Who has signed it, or why there is none. */
  issuer: string;
  /** Names that it is for. */
  names: string;
  /** Whether a client that trusts the lab's public CA takes it. */
  trusted: boolean;
}

/** What a client outside is shown for a name at the edge. */
export async function shown(bench: Bench, name: string, port = 443): Promise<Shown> {
  const { layout, facts } = bench.lab;
  const order = { host: facts.wanAddress, port, servername: name };
  const ca = await issuingRoot(layout);
  const any = await inspectTls(layout, order).catch((error: unknown) => String(error));
  if (typeof any === "string")
    return { name, issuer: `no handshake (${lastLine(any)})`, names: "", trusted: false };
  const trusted = await inspectTls(layout, { ...order, ca }).then(
    () => true,
    () => false,
  );
  return { name, issuer: issuerOf(any), names: any.subjectaltname ?? "no names", trusted };
}

const issuerOf = ({ issuer, subject }: Certificate) =>
  JSON.stringify(issuer) === JSON.stringify(subject)
    ? `itself (${issuer["CN"] ?? "nameless"})`
    : (issuer["CN"] ?? issuer["O"] ?? "nameless");
const lastLine = (text: string) => text.trim().split("\n").at(-1) ?? "";

/** @example "mail.lab.test: Pebble Intermediate CA 3f2a1b for DNS:*.lab.test, trusted" */
export const describeShown = ({ name, issuer, names, trusted }: Shown): string =>
  `${name}: ${issuer}${names === "" ? "" : ` for ${names}`}, ${trusted ? "trusted" : "not trusted"}`;

/** Handshakes at the edge's :443, one after another: the issuer of each, or that there was none. */
export async function handshakes(bench: Bench, name: string, times: number): Promise<string[]> {
  const at = `-connect ${bench.lab.facts.wanAddress}:443 -servername "$1"`;
  const one = `timeout 5 openssl s_client ${at} </dev/null 2>/dev/null | openssl x509 -noout -issuer 2>/dev/null`;
  const loop = `for ((n = 0; n < $2; n++)); do ${one} || echo "no certificate"; done`;
  const command = ["bash", "-c", loop, "handshakes", name, String(times)];
  return (await bench.on("outside", command, { timeout: times * 6000 })).stdout.trim().split("\n");
}

/** Whether a certificate is the lab's public CA's. */
export const isCas = (issuer: string): boolean => /Pebble Intermediate/.test(issuer);
