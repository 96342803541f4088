// The two Docker hosts answer, and the containers that are to run there do.
import { type Check, fail, lesson, ok, skip } from "../check.ts";
import { anchorOf } from "../scene.ts";
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
  from: "operator",
  needs: [],
  lesson: "docs/deploy.md",
  look: async (scene) =>
    scene.target.edge
      ? dockerAnswers(scene.target.edge.dockerHost, await scene.edge())
      : skip("no edge to ask"),
};

/** Anchor and sidecar run: without the one the other's namespace is dead (lesson 13). */
export const namespace: Check = {
  id: "namespace",
  from: "kvm",
  needs: ["kvm-docker"],
  lesson: lesson(13),
  async look(scene) {
    const { dockerHost, sidecar } = scene.target.kvm;
    const by = (verb: string, name: string) => `docker --host ${dockerHost} ${verb} ${name}`;
    const anchor = anchorOf(sidecar);
    for (const name of [anchor, sidecar]) {
      const state = await scene.container("kvm", name);
      const what = name === anchor ? "anchor" : "sidecar";
      if (state === undefined) return fail(`there is no container ${name}`, { fix: "pulumi up --refresh" });
      if (state.running) continue;
      return state.error === ""
        ? fail(`the ${what} ${name} does not run`, { fix: by("start", name) })
        : fail(`Docker has given the ${what} ${name} up: ${state.error}`, {
            advice: "kvm.startUnit starts it again within seconds",
            fix: by("start", name),
          });
    }
    return ok(`${anchor} holds the namespace, and ${sidecar} is in it`);
  },
};
