// The hosts themselves: their clocks, their disks, and what runs on them.
import { type Check, fail, type Finding, lesson, ok, skip, unknown, warn } from "../check.ts";
import { inContainer } from "../docker.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** What a host says of itself in one line of shell. */
export interface HostFacts {
  /** Seconds since the epoch, by its clock. */
  clock: number;
  /** Percent of Docker's file system that is in use. */
  diskUsed: number;
  /** Kilobytes that are free on it. */
  diskFree: number;
}

/** A container's root lies on the file system that Docker keeps everything on. */
const FACTS = "date +%s; df -kP / | tail -n 1";

/** @example readFacts("1795835482\noverlay 264212084 53314480 42186784 56% /\n") */
export function readFacts(stdout: string): HostFacts {
  const [clock = "", disk = ""] = stdout.trim().split("\n");
  const [, , , free = "", used = ""] = disk.trim().split(/\s+/);
  const facts = { clock: Number(clock), diskUsed: Number.parseInt(used, 10), diskFree: Number(free) };
  if (Object.values(facts).some(Number.isNaN) || clock === "")
    throw new Error(`the host does not tell its clock and disk: ${stdout.trim()}`);
  return facts;
}

/** Milliseconds before and after the question, by this machine's clock. */
interface Asked extends HostFacts {
  before: number;
  after: number;
}

type BoxName = "kvm" | "edge";

const factsOf = (scene: DoctorScene, box: BoxName): Promise<Asked> =>
  scene.once(`facts ${box === "kvm" ? box : scene.wanAddress}`, async () => {
    const { kvm, edge } = scene.target;
    const [host, container] =
      box === "kvm" ? [kvm.dockerHost, kvm.sidecar] : [edge?.dockerHost ?? "", edge?.container ?? ""];
    const before = Date.now();
    const { stdout, stderr } = await inContainer(host, container, FACTS, 8);
    return { ...readFacts(stdout || stderr), before, after: Date.now() };
  });

/** Certificates, TOTP and TSIG (RFC 8945: 300 s) stand on the clock; logs are read by it. */
export function judgeClock({ clock, before, after }: Pick<Asked, "clock" | "before" | "after">): Finding {
  // The host tells whole seconds, and said so somewhere between the question and the answer.
  const [least, most] = [clock - after / 1000, clock + 1 - before / 1000];
  const off = least > 0 ? least : most < 0 ? most : 0;
  if (off === 0) return ok("its clock is this machine's, to the second");
  const seen = `its clock is ${Math.abs(off).toFixed(1)} s ${off > 0 ? "ahead of" : "behind"} this machine's`;
  const more = { advice: "which of the two is right? NTP on both", fix: "timedatectl status   # on either" };
  return Math.abs(off) > 30 ? fail(seen, more) : Math.abs(off) > 2 ? warn(seen, more) : ok(seen);
}

/** A full disk stops Docker's logs, Caddy's certificates and the node's state. */
export function judgeDisk({ diskUsed, diskFree }: Pick<HostFacts, "diskUsed" | "diskFree">): Finding {
  const seen = `Docker's file system is ${diskUsed} % full, ${(diskFree / 1024 / 1024).toFixed(1)} GB free`;
  const fix = { fix: "docker system df   # on the host" };
  return diskUsed >= 98 ? fail(seen, fix) : diskUsed >= 90 ? warn(seen, fix) : ok(seen);
}

/** What is asked inside a container needs that container. */
const NEEDS = { kvm: ["namespace"], edge: ["edge-runs"] } as const;

const machine = (
  box: BoxName,
  what: "clock" | "disk",
  judge: (facts: Asked) => Finding,
): Check<DoctorScene> => ({
  id: `${box}-${what}`,
  ...(box === "edge" && { perEdge: true }),
  from: box,
  needs: NEEDS[box],
  lesson: "docs/operate.md",
  look: async (scene) =>
    box === "edge" && !scene.target.edge ? skip("no edge to ask") : judge(await factsOf(scene, box)),
});

export const machines: readonly Check<DoctorScene>[] = [
  machine("kvm", "clock", judgeClock),
  machine("kvm", "disk", judgeDisk),
  machine("edge", "clock", judgeClock),
  machine("edge", "disk", judgeDisk),
];

/** Each container runs the image that the config pins (decision 13). */
export const images: Check<DoctorScene> = {
  id: "images",
  from: "kvm",
  needs: ["kvm-docker", "edge-docker"],
  lesson: lesson(13),
  async look(scene) {
    const { edges, images: pinned } = scene.target;
    const hosts = await Promise.all([scene.kvm(), ...edges.map((edge) => scene.at(edge).edge())]);
    const running = hosts.flatMap(({ states }) => states);
    const digest = (image: string) => image.split("@")[1] ?? image;
    if (running.length === 0) return unknown("there are no containers");
    const wrong = running.find(
      ({ name, image }) => pinned[name] !== undefined && digest(image) !== digest(pinned[name]),
    );
    if (wrong)
      return warn(`${wrong.name} runs ${wrong.image}, and the config pins ${pinned[wrong.name]}`, {
        advice: "the config was changed and not deployed, or somebody made the container by hand",
        fix: "pulumi up",
      });
    return ok("each container runs the image that the config pins");
  },
};
