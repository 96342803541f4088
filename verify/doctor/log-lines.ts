/** A line of Stalwart's container, its server's or its entrypoint's. */
export interface LogLine {
  at: Date;
  text: string;
}

/** Reads `docker logs --timestamps`. */
export function readLog(stdout: string): LogLine[] {
  return stdout.split("\n").flatMap((line) => {
    const [, at = "", text = ""] = /^(\S+Z) (.*)$/.exec(line) ?? [];
    return at === "" ? [] : [{ at: new Date(at), text }];
  });
}

/** The last time the entrypoint's watch called for somebody (lib/stalwart/entrypoint.sh). */
export const lastAlert = (lines: readonly LogLine[]): LogLine | undefined =>
  lines.findLast(({ text }) => text.startsWith("tailwart: ALERT "));

/** Events of trc that say that an order for a certificate has failed (trc/src/event/level.rs). */
const ACME_TROUBLE =
  /\((acme\.(?:error|order-invalid|auth-error|auth-too-many-attempts|dns-record-propagation-timeout|dns-record-creation-failed|tls-alpn-error))\)/;

/** The last failure of an order that no completed one has followed. */
export function acmeTrouble(lines: readonly LogLine[]): LogLine | undefined {
  const last = lines.findLast(
    ({ text }) => ACME_TROUBLE.test(text) || text.includes("(acme.order-completed)"),
  );
  return last && ACME_TROUBLE.test(last.text) ? last : undefined;
}

/** The client's address of the session that said a name in its EHLO; undefined without one. */
export function addressOfEhlo(lines: readonly LogLine[], name: string): string | undefined {
  const line = lines.find(({ text }) => text.includes("(smtp.ehlo)") && text.includes(`domain = "${name}"`));
  return line && /remoteIp = ([^,\s]+)/.exec(line.text)?.[1];
}
