/** Whether a zone's own servers show what was written at one of them. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { type Authority, authoritiesOf } from "../../lib/dns/authorities.ts";
import { rivalsIn, type RecordSets, setOf } from "../../lib/dns/record-sets.ts";
import { wordsOf } from "../../lib/errors.ts";
import { asking, valuesAt } from "./rfc2136.ts";

/** Milliseconds between two looks. */
const PAUSE = 2_000;

/**
 * What servers do not show yet, in a line each; [] when all show all.
 *
 * @param servers asked in the place of those that the DNS names
 * @param patience milliseconds that they get
 */
export async function behindAt(
  desired: RecordSets,
  keys: readonly string[],
  servers: readonly string[],
  patience: number,
): Promise<string[]> {
  const byServer = new Map<string, { authority: Authority; keys: string[] }>();
  for (const key of keys) {
    const authorities = await authoritiesOf(setOf(key).name, servers).catch(wordsOf);
    if (typeof authorities === "string") return [`the zone's servers were not looked at: ${authorities}`];
    for (const authority of authorities) {
      const at = byServer.get(authority.address) ?? { authority, keys: [] };
      byServer.set(authority.address, { ...at, keys: [...at.keys, key] });
    }
  }
  for (const deadline = Date.now() + patience; ; await sleep(PAUSE)) {
    const looks = [...byServer.values()].map((at) => behind(at.authority, at.keys, desired));
    const lines = (await Promise.all(looks)).flat();
    if (lines.length === 0 || Date.now() + PAUSE > deadline) return lines;
  }
}

async function behind(
  { server, address }: Authority,
  keys: readonly string[],
  desired: RecordSets,
): Promise<string[]> {
  const { hostname, port } = new URL(`dns://${address}`);
  const dial = () => connect({ host: hostname.replace(/[[\]]/g, ""), port: Number(port) });
  try {
    return await asking(dial, async (ask) => {
      const lines: string[] = [];
      for (const key of keys) {
        const shown = rivalsIn(key, await valuesAt(ask, key)).toSorted();
        if (shown.join("\n") !== (desired[key] ?? []).toSorted().join("\n"))
          lines.push(`${key}: ${server} still shows ${shown.length > 0 ? shown.join(", ") : "nothing"}`);
      }
      return lines;
    });
  } catch (error) {
    return [`${server} does not answer: ${wordsOf(error)}`];
  }
}
