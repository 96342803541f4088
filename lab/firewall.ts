import { runInNetns } from "./run.ts";
import type { Machine } from "./topology.ts";

/** Something that is done to a machine, and taken back. */
export interface Cut {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** iptables' words for what a rule is about, a list a rule; an empty one is everything. */
type Matches = readonly (readonly string[])[];

/**
 * Drops what a machine takes in or passes on, without a word to anybody. In the mangle table:
 * Docker has no rules there, and puts none in front.
 *
 * @example dropping(layout.machines.db, "INPUT", ["-p", "tcp", "--dport", "5432"])
 */
export const dropping = (machine: Machine, chain: "INPUT" | "FORWARD", ...matches: Matches): Cut =>
  ruled(machine, ["mangle", chain], matches, ["DROP"]);

/** Refuses TCP connections that come in to a port from outside, as a closed port does. */
export const refusingPort = (machine: Machine, port: number): Cut =>
  ruled(
    machine,
    ["filter", "INPUT"],
    [["-i", "eth0", "-p", "tcp", "--dport", String(port)]],
    ["REJECT", "--reject-with", "tcp-reset"],
  );

/** Leads TCP connections that come in to a port from outside to another of the machine's. */
export const redirectingPort = (machine: Machine, port: number, to: number): Cut =>
  ruled(
    machine,
    ["nat", "PREROUTING"],
    [["-i", "eth0", "-p", "tcp", "--dport", String(port)]],
    ["REDIRECT", "--to-ports", String(to)],
  );

function ruled(
  { netns }: Machine,
  [table, chain]: readonly [string, string],
  matches: Matches,
  target: readonly string[],
): Cut {
  const change = async (action: "-I" | "-D") => {
    for (const match of matches)
      await runInNetns(netns, ["iptables", "-w", "-t", table, action, chain, ...match, "-j", ...target]);
  };
  return { begin: () => change("-I"), end: () => change("-D") };
}
