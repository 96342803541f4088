// The servers that Stalwart connects to can be reached from its network namespace.
import { type Check, fail, type Finding, lesson, ok, skip } from "../check.ts";
import { describeReach, reachProbe, readReach } from "../reach.ts";
import type { Scene } from "../scene.ts";

type Place = { host: string; port: number };

/** How a server looks from Stalwart's namespace: "open", or why not. */
async function reach(scene: Scene, { host, port }: Place): Promise<ReturnType<typeof readReach>> {
  return readReach((await scene.inNamespace(reachProbe(host, port), 9)).stdout);
}

/** What to look at on the machine itself, or in the policy. */
function unreachable(scene: Scene, what: string, place: Place, problem: string, advice: string): Finding {
  const { node, kvm } = scene.target;
  const seen = problem as Exclude<Awaited<ReturnType<typeof reach>>, "open">;
  return fail(describeReach(seen, `${what} ${place.host}:${place.port}`, node), {
    advice,
    fix: `docker --host ${kvm.dockerHost} exec ${kvm.sidecar} nc -v -z -w 3 ${place.host} ${place.port}`,
  });
}

/** Postgres can be reached (lesson 1). */
export const postgres: Check = {
  id: "postgres",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(1),
  async look(scene) {
    const { postgres: store, node } = scene.target;
    const found = await reach(scene, store);
    const advice = "Stalwart holds in its gate until then and starts by itself.";
    return found === "open"
      ? ok(`Postgres ${store.host}:${store.port} reachable from ${node}`)
      : unreachable(scene, "Postgres", store, found, advice);
  },
};

/** The relay can be reached (lessons 10 and 11). */
export const relay: Check = {
  id: "relay",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(11),
  async look(scene) {
    const { relay: smarthost, node } = scene.target;
    const found = await reach(scene, smarthost);
    const advice = "Mail that goes out waits in Stalwart's queue until then.";
    return found === "open"
      ? ok(`relay ${smarthost.host}:${smarthost.port} reachable from ${node}`)
      : unreachable(scene, "The relay", smarthost, found, advice);
  },
};

/**
 * Redis and S3 can be reached. Asked before the settings name them: with a Redis that is not there
 * Stalwart delivers nothing.
 */
export const stores: Check = {
  id: "stores",
  from: "namespace",
  needs: ["tailnet"],
  lesson: lesson(11),
  async look(scene) {
    const { redis, s3, node } = scene.target;
    const reached: string[] = [];
    for (const [what, store] of Object.entries({ Redis: redis, "The S3 service": s3 })) {
      if (!store) continue;
      const found = await reach(scene, store);
      if (found !== "open")
        return unreachable(scene, what, store, found, "Settings that name it are not written before.");
      reached.push(`${store.host}:${store.port}`);
    }
    return reached.length > 0
      ? ok(`${reached.join(" and ")} reachable from ${node}`)
      : skip("no further store to ask");
  },
};
