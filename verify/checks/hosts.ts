// The Docker hosts answer, and the containers that are to run there do.
import { type Check, fail, type Finding, lesson, ok, skip } from "../check.ts";
import { anchorOf, type Scene } from "../scene.ts";
import type { Inspected } from "../inspect.ts";

function dockerAnswers(host: string, { trouble, states }: Inspected) {
  if (trouble !== "")
    return fail(`docker --host ${host} does not answer: ${trouble}`, {
      advice: "is the host up, does ssh know its key, does dockerd run?",
      fix: `docker --host ${host} version`,
    });
  return ok(`Docker answers, and knows ${states.map(({ name }) => name).join(", ") || "none of ours"}`);
}

/** The KVM's Docker answers over ssh. */
export const kvmDocker: Check = {
  id: "kvm-docker",
  from: "operator",
  needs: [],
  lesson: "docs/deploy.md",
  look: async (scene) => dockerAnswers(scene.target.kvm.dockerHost, await scene.kvm()),
};

/** The edge's Docker answers over ssh. */
export const edgeDocker: Check = {
  id: "edge-docker",
  perEdge: true,
  from: "operator",
  needs: [],
  lesson: "docs/deploy.md",
  look: async (scene) =>
    scene.target.edge
      ? dockerAnswers(scene.target.edge.dockerHost, await scene.edge())
      : skip("no edge to ask"),
};

/** Why a container does not run, and what makes it run; undefined where it does. */
export async function notRunning(
  scene: Scene,
  box: "kvm" | "edge",
  what: string,
  name: string,
): Promise<Finding | undefined> {
  const { kvm, edge } = scene.target;
  const host = box === "kvm" ? kvm.dockerHost : edge?.dockerHost;
  const by = (verb: string) => ({ fix: `docker --host ${host} ${verb} ${name}` });
  const state = await scene.container(box, name);
  if (state === undefined) return fail(`there is no container ${name}`, { fix: "pulumi up --refresh" });
  if (state.paused) return fail(`the ${what} ${name} is paused`, by("unpause"));
  if (state.running) return undefined;
  if (state.error === "") return fail(`the ${what} ${name} does not run`, by("start"));
  return fail(`Docker has given the ${what} ${name} up: ${state.error}`, {
    ...(box === "kvm" && { advice: "kvm.startUnit starts it again within seconds" }),
    ...by("start"),
  });
}

/** Anchor and sidecar run: without the one the other's namespace is dead (lesson 13). */
export const namespace: Check = {
  id: "namespace",
  from: "kvm",
  needs: ["kvm-docker"],
  lesson: lesson(13),
  async look(scene) {
    const { sidecar } = scene.target.kvm;
    const anchor = anchorOf(sidecar);
    return (
      (await notRunning(scene, "kvm", "anchor", anchor)) ??
      (await notRunning(scene, "kvm", "sidecar", sidecar)) ??
      ok(`${anchor} holds the namespace, and ${sidecar} is in it`)
    );
  },
};

/** Stalwart's container runs. What is in it is asked by others. */
export const stalwartRuns: Check = {
  id: "stalwart-runs",
  from: "kvm",
  needs: ["namespace"],
  lesson: lesson(13),
  async look(scene) {
    const { stalwart } = scene.target.kvm;
    return (await notRunning(scene, "kvm", "container", stalwart)) ?? ok(`${stalwart} runs`);
  },
};

/** The edge's container runs. */
export const edgeRuns: Check = {
  id: "edge-runs",
  perEdge: true,
  from: "operator",
  needs: ["edge-docker"],
  lesson: "docs/operate.md",
  async look(scene) {
    const { edge } = scene.target;
    if (!edge) return skip("no edge to ask");
    return (
      (await notRunning(scene, "edge", "edge's container", edge.container)) ?? ok(`${edge.container} runs`)
    );
  },
};
