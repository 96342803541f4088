import { runInNetns } from "./run.ts";
import type { Machine } from "./topology.ts";

/** Something that is done to a machine, and taken back. */
export interface Cut {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/**
 * Drops what a machine takes in or passes on, without a word to anybody. In the mangle table:
 * Docker has no rules there, and puts none in front.
 *
 * @param match iptables' words for what is dropped, one list a rule; an empty one is everything
 * @example dropping(layout.machines.db, "INPUT", ["-p", "tcp", "--dport", "5432"])
 */
export function dropping(
  machine: Machine,
  chain: "INPUT" | "FORWARD" | "POSTROUTING",
  ...match: readonly (readonly string[])[]
): Cut {
  const change = async (action: "-I" | "-D") => {
    for (const words of match)
      await runInNetns(machine.netns, [
        "iptables",
        "-w",
        "-t",
        "mangle",
        action,
        chain,
        ...words,
        "-j",
        "DROP",
      ]);
  };
  return { begin: () => change("-I"), end: () => change("-D") };
}
