// What happens when somebody dials: each address of the name, with family, errno and time.
import { isIP } from "node:net";

import { UserError } from "../../lib/errors.ts";
import type { MachineName } from "../../lab/topology.ts";
import type { Bench } from "./bench.ts";

/** Who dials: a machine of the lab, or a program in Stalwart's namespace. */
export type Place = MachineName | "namespace";

/** What became of one address. */
export interface Dialled {
  address: string;
  family: "IPv4" | "IPv6";
  outcome: "open" | "refused" | "timeout" | "unreachable" | "no-route" | "closed" | "failed";
  /** Of connect(2), where it failed by itself. */
  errno?: number;
  ms: number;
  /** The first line that the server said, where that was waited for. */
  line?: string;
}

/** How Linux names what bash prints (errno(3)). */
const ERRORS = [
  { words: /refused/, outcome: "refused", errno: 111, name: "ECONNREFUSED" },
  { words: /timed out/, outcome: "timeout", errno: 110, name: "ETIMEDOUT" },
  { words: /Network is unreachable/, outcome: "unreachable", errno: 101, name: "ENETUNREACH" },
  // Where IPv6 is turned off, and not only without a route.
  { words: /Cannot assign requested/, outcome: "unreachable", errno: 99, name: "EADDRNOTAVAIL" },
  { words: /No route to host/, outcome: "no-route", errno: 113, name: "EHOSTUNREACH" },
] as const;

/** $1 address, $2 port, $3 patience in seconds, $4 "line" for what is said back, $5 said first. */
const DIAL = `start=$EPOCHREALTIME
said=$(LC_ALL=C timeout "$3" bash -c '
  exec 3<>"/dev/tcp/$1/$2" || exit 1
  [[ $3 == line ]] || exit 0
  printf "%s" "$4" >&3
  IFS= read -r line <&3 || exit 3
  [[ -n $4 ]] || printf "QUIT\\r\\n" >&3
  printf "%s" "$line"' dial "$1" "$2" "$4" "$5" 2>&1)
printf '%s %s %s' "$?" "$(( (\${EPOCHREALTIME/./} - \${start/./}) / 1000 ))" "$said"`;

async function bash(bench: Bench, place: Place, script: string, args: string[]): Promise<string> {
  if (place === "namespace") {
    const inside = ["exec", bench.container("stalwart"), "bash", "-c", script, "bash", ...args];
    return bench.docker("kvm", ...inside);
  }
  return (await bench.on(place, ["bash", "-c", script, "bash", ...args])).stdout;
}

/** The addresses of a name, as a place resolves it; none where there is no such name. */
export async function resolve(bench: Bench, place: Place, host: string): Promise<string[]> {
  // Who has no IPv6 is told of no IPv6 address, not even of one that is asked for by itself.
  if (isIP(host)) return [host];
  const said = await bash(bench, place, 'getent ahosts "$1" || true', [host]);
  return [...new Set(said.split("\n").flatMap((line) => /^([\da-f.:]+)\s/.exec(line)?.[1] ?? []))];
}

/**
 * Dials every address of a host, one after another; none where there is no such name.
 *
 * @param options.wait patience for each, in seconds. @default 5
 * @param options.greeting whether the server speaks first. @default false
 * @param options.says what is said first, for its answer's first line
 */
export async function dial(
  bench: Bench,
  place: Place,
  host: string,
  port: number,
  { wait = 5, greeting = false, says = "" } = {},
): Promise<Dialled[]> {
  const all: Dialled[] = [];
  for (const address of await resolve(bench, place, host)) {
    const line = greeting || says !== "" ? "line" : "no";
    const args = [address, String(port), String(wait), line, says];
    all.push(readDialled(address, await bash(bench, place, DIAL, args)));
  }
  return all;
}

/** What somebody outside is greeted with by the edge's port 25; undefined where by nobody. */
export async function greeting(bench: Bench): Promise<string | undefined> {
  const { wanAddress } = bench.lab.facts;
  return (await dial(bench, "outside", wanAddress, 25, { greeting: true }))[0]?.line;
}

/**
 * Waits until somebody outside is greeted through the edge.
 *
 * @param seconds how long
 * @returns the seconds it took
 * @throws UserError when nobody is
 */
export async function mustGreet(bench: Bench, seconds: number): Promise<number> {
  const greets = async () => (await greeting(bench))?.startsWith("220") ?? false;
  const took = await bench.within(seconds, greets);
  if (took !== undefined) return took;
  throw new UserError(`nobody is greeted through the edge's port 25 within ${seconds} s`);
}

/** Reads what the shell has printed. @example readDialled("192.0.2.1", "0 12 220 mail") */
export function readDialled(address: string, printed: string): Dialled {
  const [, code = "", ms = "", said = ""] = /^(\d+) (\d+) ?([^]*)$/.exec(printed.trim()) ?? [];
  const family = address.includes(":") ? "IPv6" : "IPv4";
  const base = { address, family, ms: Number(ms) } as const;
  const line = said.trim();
  if (code === "0") return { ...base, outcome: "open", ...(line !== "" && { line }) };
  // SIGPIPE (141): before anything could be said.
  if (code === "3" || code === "141") return { ...base, outcome: "closed" };
  if (code === "124") return { ...base, outcome: "timeout" };
  const known = ERRORS.find(({ words }) => words.test(line));
  return known
    ? { ...base, outcome: known.outcome, errno: known.errno }
    : { ...base, outcome: "failed", line };
}

/** @example "100.64.0.4 (IPv4): ECONNREFUSED (111) after 3 ms" */
export function describeDialled(dialled: readonly Dialled[]): string {
  if (dialled.length === 0) return "no such name";
  return dialled
    .map(({ address, family, outcome, errno, ms, line }) => {
      const name = ERRORS.find((each) => each.errno === errno)?.name;
      const what =
        name !== undefined
          ? `${name} (${errno})`
          : ({ open: "open", closed: "accepted and closed", timeout: "no answer" }[outcome as "open"] ??
            "failed");
      return `${address} (${family}): ${what}${line === undefined ? "" : `, "${line}"`} after ${ms} ms`;
    })
    .join("; ");
}
