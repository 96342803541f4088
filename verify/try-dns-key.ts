// Tries the DNS key before Stalwart is given it: `node verify/try-dns-key.ts`, with a
// ContainedTrial as JSON on stdin.
import { spawn } from "node:child_process";
import { Duplex } from "node:stream";

import { type DnsKeyTrial, tryDnsKey } from "./dns-key.ts";
import { runOnInput } from "./run.ts";

/** A trial, and the container that shares Stalwart's namespace. */
export interface ContainedTrial extends DnsKeyTrial {
  dockerHost: string;
  sidecar: string;
}

/** A connection carried by the sidecar's nc; what it prints of itself nobody needs. */
function connect({ dockerHost, sidecar, host, port }: ContainedTrial): Duplex {
  const args = ["--host", dockerHost, "exec", "-i", sidecar, "nc", "-w", "15", host, String(port)];
  const child = spawn("docker", args, { stdio: ["pipe", "pipe", "ignore"] });
  // Its end is what counts, and that is seen at its output.
  for (const each of [child, child.stdin]) each.on("error", () => undefined);
  const pipe = Duplex.from({ readable: child.stdout, writable: child.stdin });
  pipe.on("error", () => undefined).on("close", () => child.kill());
  return pipe;
}

await runOnInput((trial: ContainedTrial) => tryDnsKey(() => connect(trial), trial));
