/** Why a host:port could not be reached, seen from one network namespace. */
export type ReachProblem = "no-such-name" | "timeout" | "refused" | "no-route" | "unknown";

/**
 * A shell line that tells apart why host:port cannot be reached. It prints one word and always
 * exits 0. getent and nc are in every image that the sidecar runs from; BusyBox's and OpenBSD's nc
 * word errors alike, but BusyBox's says that a port refuses only to who asks twice
 * (networking/nc_bloaty.c).
 */
export function reachProbe(host: string, port: number): string {
  return `getent hosts ${host} >/dev/null 2>&1 || { echo no-such-name; exit 0; }
said=$(nc -v -v -z -w 3 ${host} ${port} 2>&1) && { echo open; exit 0; }
case "$said" in
*refused*) echo refused ;;
*"timed out"* | *"in progress"* | "") echo timeout ;;
*unreachable* | *"No route"*) echo no-route ;;
*) echo unknown ;;
esac`;
}

/** The probe's word as a sentence for people, with what to look at. */
export function describeReach(problem: ReachProblem, target: string, from: string): string {
  const causes: Record<ReachProblem, string> = {
    "no-such-name": `its name does not resolve from ${from}: the tailnet shows a machine only to those who have a grant to or from it, so there is no grant at all, or the machine is not in the tailnet`,
    timeout: `the connection from ${from} times out: the tailnet drops it, so no grant has ${from} as its source for this port, or the machine is down`,
    refused: `the machine answers ${from}, but nothing listens on that port`,
    "no-route": `${from} has no route to it: is the sidecar connected to the tailnet?`,
    unknown: `the connection from ${from} fails`,
  };
  return `${target} is not reachable: ${causes[problem]}`;
}

/** Reads the probe's output. */
export function readReach(stdout: string): "open" | ReachProblem {
  const word = stdout.trim().split("\n").at(-1) ?? "";
  const known = ["open", "no-such-name", "timeout", "refused", "no-route"] as const;
  return known.find((candidate) => candidate === word) ?? "unknown";
}
