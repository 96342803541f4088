import { type Finding, unknown, worst } from "../check.ts";

/** A finding, and at which server, where the others say something else. */
export function atServers(findings: readonly { server: string; finding: Finding }[]): Finding {
  const bad = worst(findings.map(({ finding }) => finding)) ?? unknown("no server was asked");
  const same = findings.filter(({ finding }) => finding.state === bad.state);
  if (bad.state === "ok" || same.length === findings.length) return bad;
  const servers = same.map(({ server }) => server).join(", ");
  return { ...bad, seen: `${bad.seen}, at ${servers} alone: it is on its way, or that server is stuck` };
}
