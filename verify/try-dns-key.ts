// Tries the DNS key before Stalwart is given it: `node verify/try-dns-key.ts`, with a
// ContainedTrial as JSON on stdin.
import { dialFrom } from "./dial.ts";
import { type DnsKeyTrial, tryDnsKey } from "./dns-key.ts";
import { runOnInput } from "./run.ts";

/** A trial, and the container that shares Stalwart's namespace. */
export interface ContainedTrial extends DnsKeyTrial {
  dockerHost: string;
  sidecar: string;
}

await runOnInput((trial: ContainedTrial) => {
  const { dockerHost, sidecar, host, port } = trial;
  return tryDnsKey(() => dialFrom(dockerHost, sidecar, host, port, 15), trial);
});
