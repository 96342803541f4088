// The node that the edge dials: its name, its key, and the names that it and the edge resolve.
import { type Check, fail, type Finding, lesson, ok, skip, unknown, warn } from "../check.ts";
import { inContainer } from "../docker.ts";
import { ageOf, type NodeStatus, readNodeStatus } from "../doctor/node-status.ts";
import type { DoctorScene } from "../doctor/target.ts";
import type { Scene } from "../scene.ts";

const statusOf = (scene: Scene): Promise<NodeStatus> =>
  scene.once("node", async () => {
    const { status, stdout, stderr } = await scene.inNamespace("tailscale status --json --peers=false", 8);
    if (status !== 0) throw new Error(`tailscale status: ${stderr.trim() || "no answer"}`);
    return readNodeStatus(stdout);
  });

const DAY = 86_400_000;

/** Whether a node's key is about to end. */
export function judgeKey({ keyEnds, expired, created }: NodeStatus, now: Date): Finding {
  const age = `the node is ${ageOf(created, now)} old`;
  const advice = "disable its key's expiry in the admin console, or let the next `pulumi up` log in anew";
  if (expired) return fail(`the node's key has expired; ${age}`, { advice });
  if (keyEnds === undefined) return ok(`${age}, and its key does not expire`);
  const days = Math.floor((keyEnds.getTime() - now.getTime()) / DAY);
  const seen = `${age}, and its key expires in ${days} days`;
  return days < 21 ? warn(seen, { advice }) : ok(seen);
}

/** The node's key is good, and stays so. */
export const nodeKey: Check<DoctorScene> = {
  id: "node-key",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(6),
  look: async (scene) => judgeKey(await statusOf(scene), new Date()),
};

/** The name that every edge dials. */
const dialled = ({ target }: DoctorScene): string | undefined => target.edges[0]?.names.magicDns;

/** The node has the name that the edges dial, and not stalwart-1 (decision 11). */
export const nodeName: Check<DoctorScene> = {
  id: "node-name",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(6),
  async look(scene) {
    const { name, tags, addresses } = await statusOf(scene);
    const wanted = dialled(scene) ?? name;
    if (name !== wanted)
      return fail(`the node is called ${name}, and the edges dial ${wanted}`, {
        advice: "another node holds the name: remove that one in the admin console, then",
        fix: "pulumi up --refresh",
      });
    return ok(`${name} is ${addresses.join(", ")}, with ${tags.join(", ") || "no tag"}`);
  },
};

/** The first address that a name has in a container; "" where it has none. */
async function addressOf(host: string, container: string, name: string): Promise<string> {
  const seen = await inContainer(host, container, `getent hosts ${name}`, 8);
  return seen.stdout.trim().split(/\s+/)[0] ?? "";
}

/** MagicDNS answers in the namespace: Stalwart finds its servers by name. */
export const magicDns: Check<DoctorScene> = {
  id: "magic-dns",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(6),
  async look(scene) {
    const { kvm } = scene.target;
    const name = dialled(scene);
    if (name === undefined) return skip("no edge to ask");
    const [{ addresses }, found] = await Promise.all([
      statusOf(scene),
      addressOf(kvm.dockerHost, kvm.sidecar, name),
    ]);
    if (addresses.includes(found)) return ok(`the node finds itself by its MagicDNS name: ${found}`);
    return fail(
      `in the namespace ${name} is ${found || "no name"}, and the node has ${addresses.join(", ")}`,
      {
        advice: "100.100.100.100 does not answer there, or MagicDNS is off in the tailnet",
        fix: `docker --host ${kvm.dockerHost} exec ${kvm.sidecar} cat /etc/resolv.conf`,
      },
    );
  },
};

/** The edge's answer for Stalwart's name is the node's present address (lesson 6). */
export const edgeAddress: Check = {
  id: "edge-address",
  perEdge: true,
  from: "edge",
  needs: ["edge-names", "tailnet"],
  lesson: lesson(6),
  async look(scene) {
    const { edge } = scene.target;
    if (!edge) return skip("no edge to ask");
    const [{ addresses }, found] = await Promise.all([
      statusOf(scene),
      addressOf(edge.dockerHost, edge.container, edge.names.magicDns),
    ]);
    if (addresses.length === 0) return unknown("the node has no address");
    return addresses.includes(found)
      ? ok(`on the edge ${edge.names.magicDns} is ${found}, the node's own`)
      : fail(`on the edge ${edge.names.magicDns} is ${found}, and the node has ${addresses.join(", ")}`, {
          advice: "an old node holds the name, or the edge's /etc/hosts names it",
          fix: `docker --host ${edge.dockerHost} exec ${edge.container} getent hosts ${edge.names.magicDns}`,
        });
  },
};
