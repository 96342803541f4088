import { UserError } from "../lib/errors.ts";
import type { Servers } from "../lib/tailnet/flows.ts";
import { HEALTH_ADDRESS } from "../lib/tailnet/health.ts";
import { NAMESPACE_DEVICE } from "../lib/tailnet/sidecar.ts";
import { docker, inContainer } from "./docker.ts";
import { type EdgeNames, nameProblem, namesProbe, readNames } from "./names.ts";
import { describeReach, reachProbe, readReach } from "./reach.ts";

/** Where the stack runs, and what it must reach: the input of verify/main.ts. */
export interface VerifyTarget extends Servers {
  kvm: { dockerHost: string; sidecar: string; stalwart: string };
  edge?: { dockerHost: string; container: string; names: EdgeNames };
  /** The node that all of it is seen from, such as `stalwart (tag:stalwart)`. */
  node: string;
}

/** Asks again until it holds or the deadline (ms since epoch) passes. */
async function eventually(deadline: number, ask: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    if (await ask()) return true;
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/**
 * The sidecar is healthy: tailscaled is up and Postgres can be reached.
 * @throws UserError that names which of the two is missing, and why
 */
export async function sidecarHealthy(
  { kvm, postgres, node }: VerifyTarget,
  deadline: number,
): Promise<string> {
  const healthy = await eventually(deadline, async () => {
    const seen = await docker(
      kvm.dockerHost,
      ["inspect", "--format", "{{.State.Health.Status}}", kvm.sidecar],
      10,
    );
    if (seen.status !== 0)
      throw new UserError(`docker cannot inspect ${kvm.sidecar} on ${kvm.dockerHost}: ${seen.stderr.trim()}`);
    return seen.stdout.trim() === "healthy";
  });
  if (healthy) return `sidecar healthy: tailscaled up, Postgres ${postgres.host}:${postgres.port} reachable`;
  const tailnet = await inContainer(
    kvm.dockerHost,
    kvm.sidecar,
    `wget -qO- http://${HEALTH_ADDRESS}/healthz`,
    10,
  );
  if (tailnet.status !== 0) {
    await refuseDeadNamespace(kvm);
    throw new UserError(`the sidecar ${kvm.sidecar} is not connected to the tailnet`, {
      hint: `look at: docker --host ${kvm.dockerHost} logs ${kvm.sidecar}`,
    });
  }
  throw await unreachable("Postgres", postgres, kvm, node);
}

/**
 * A sidecar that the anchor's end has left without a network leaves by itself; the start unit sees
 * to one that Docker has given up meanwhile.
 * @throws UserError that says which of the two it is, if any
 */
async function refuseDeadNamespace({ dockerHost, sidecar }: VerifyTarget["kvm"]): Promise<void> {
  const error = await docker(dockerHost, ["inspect", "--format", "{{.State.Error}}", sidecar], 10);
  if (error.stdout.trim() !== "") {
    throw new UserError(`Docker has given the sidecar ${sidecar} up: ${error.stdout.trim()}`, {
      hint: `kvm.startUnit starts it again within seconds; by hand: docker --host ${dockerHost} start ${sidecar}`,
    });
  }
  const device = await inContainer(dockerHost, sidecar, `ls /sys/class/net/${NAMESPACE_DEVICE}`, 10);
  if (device.status !== 0 && device.stderr.includes(NAMESPACE_DEVICE)) {
    throw new UserError(`the anchor of ${sidecar} has ended, and its network namespace is dead`, {
      hint: `the sidecar leaves it within seconds; by hand: docker --host ${dockerHost} restart ${sidecar}`,
    });
  }
}

/** The relay can be reached from Stalwart's namespace (lessons 10 and 11). */
export async function relayReachable({ kvm, relay, node }: VerifyTarget, deadline: number): Promise<string> {
  if (!(await reachable(kvm, relay, deadline))) throw await unreachable("The relay", relay, kvm, node);
  return `relay ${relay.host}:${relay.port} reachable from ${node}`;
}

/**
 * Redis and S3 can be reached from Stalwart's namespace. Asked before the settings name them: with
 * a Redis that is not there Stalwart delivers nothing.
 */
export async function storesReachable(
  { kvm, redis, s3, node }: VerifyTarget,
  deadline: number,
): Promise<string> {
  const stores = Object.entries({ Redis: redis, "The S3 service": s3 });
  const reached: string[] = [];
  for (const [what, store] of stores) {
    if (!store) continue;
    if (!(await reachable(kvm, store, deadline)))
      throw await unreachable(what, store, kvm, node, "Settings that name it are not written before.");
    reached.push(`${store.host}:${store.port}`);
  }
  return reached.length > 0 ? `${reached.join(" and ")} reachable from ${node}` : "no further store to ask";
}

const reachable = (
  { dockerHost, sidecar }: VerifyTarget["kvm"],
  { host, port }: { host: string; port: number },
  deadline: number,
): Promise<boolean> =>
  eventually(deadline, async () => {
    const probe = await inContainer(dockerHost, sidecar, reachProbe(host, port), 15);
    return readReach(probe.stdout) === "open";
  });

async function unreachable(
  what: string,
  target: { host: string; port: number },
  kvm: VerifyTarget["kvm"],
  node: string,
  hint = "Stalwart holds in its gate until then and starts by itself.",
): Promise<UserError> {
  const probe = await inContainer(kvm.dockerHost, kvm.sidecar, reachProbe(target.host, target.port), 15);
  const found = readReach(probe.stdout);
  const problem = found === "open" ? "unknown" : found;
  return new UserError(describeReach(problem, `${what} ${target.host}:${target.port}`, node), {
    hint,
  });
}

/** bash's own TCP, since Stalwart's image has no nc. */
const LOCAL_BANNER = `exec 3<>/dev/tcp/127.0.0.1/25 && IFS= read -r -t 5 line <&3 && printf 'QUIT\\r\\n' >&3 && case "$line" in 220*) exit 0 ;; esac; exit 1`;

/** Stalwart greets with 220 in its own namespace. */
export async function stalwartGreets(
  { kvm, postgres, node }: VerifyTarget,
  deadline: number,
): Promise<string> {
  const greets = await eventually(deadline, async () => {
    const args = ["exec", kvm.stalwart, "bash", "-c", LOCAL_BANNER];
    return (await docker(kvm.dockerHost, args, 10)).status === 0;
  });
  if (greets) return "Stalwart greets on 127.0.0.1:25";
  // The sidecar's health lags behind by its retries, so Postgres may have gone since.
  const probe = await inContainer(kvm.dockerHost, kvm.sidecar, reachProbe(postgres.host, postgres.port), 15);
  if (readReach(probe.stdout) !== "open") throw await unreachable("Postgres", postgres, kvm, node);
  const log = await docker(kvm.dockerHost, ["logs", "--tail", "3", kvm.stalwart], 10);
  throw new UserError(
    `Stalwart does not greet on 127.0.0.1:25; its last lines:\n${log.stdout}${log.stderr}`.trimEnd(),
    {
      hint: `look at: docker --host ${kvm.dockerHost} logs ${kvm.stalwart}`,
    },
  );
}

/** The edge resolves what Caddy dials, on the tailnet and on the internet. */
async function edgeResolves(edge: NonNullable<VerifyTarget["edge"]>, deadline: number): Promise<string> {
  const { names } = edge;
  let problem: ReturnType<typeof nameProblem>;
  const resolved = await eventually(deadline, async () => {
    const seen = await inContainer(edge.dockerHost, edge.container, namesProbe(names), 30);
    problem = nameProblem(readNames(seen.stdout), names);
    return problem === undefined;
  });
  if (!resolved && problem) throw new UserError(problem.message, { hint: problem.hint });
  return `the edge resolves ${names.magicDns} and ${names.public}`;
}

/** A banner comes back through the edge, the tailnet and the PROXY header: the whole way in. */
export async function edgePassesOn({ edge }: VerifyTarget, deadline: number): Promise<string> {
  if (!edge) return "no edge to ask";
  const resolves = await edgeResolves(edge, deadline);
  // The pipe holds nc's stdin open until the banner is there; ports on which the client speaks
  // first are left out.
  const line = "{ sleep 4; echo QUIT; } | nc -w 5 127.0.0.1 25 | head -n 1";
  let last = "";
  const passed = await eventually(deadline, async () => {
    const seen = await inContainer(edge.dockerHost, edge.container, line, 15);
    last = `${seen.stdout}${seen.stderr}`.trim();
    return seen.stdout.startsWith("220");
  });
  if (passed) return `${resolves}; Stalwart's banner comes back through its port 25`;
  throw new UserError(`no banner comes back through the edge's port 25${last ? `; it said: ${last}` : ""}`, {
    hint: `look at: docker --host ${edge.dockerHost} logs ${edge.container}`,
  });
}
