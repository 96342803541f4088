// The sidecar is a node of the tailnet, and Docker calls it healthy.
import { HEALTH_ADDRESS } from "../../lib/tailnet/health.ts";
import { NAMESPACE_DEVICE } from "../../lib/tailnet/sidecar.ts";
import { type Check, fail, lesson, ok } from "../check.ts";

/** tailscaled is connected, by its own word. */
export const tailnet: Check = {
  id: "tailnet",
  from: "namespace",
  needs: ["namespace"],
  lesson: lesson(11),
  async look(scene) {
    const { dockerHost, sidecar } = scene.target.kvm;
    const line = `ls /sys/class/net/${NAMESPACE_DEVICE} >/dev/null && wget -T 5 -qO- http://${HEALTH_ADDRESS}/healthz`;
    const seen = await scene.inNamespace(line, 8);
    if (seen.status === 0) return ok(`the sidecar ${sidecar} is connected to the tailnet`);
    if (seen.stderr.includes(NAMESPACE_DEVICE))
      return fail(`the anchor of ${sidecar} has ended, and its network namespace is dead`, {
        advice: "the sidecar leaves it within seconds",
        fix: `docker --host ${dockerHost} restart ${sidecar}`,
      });
    return fail(`the sidecar ${sidecar} is not connected to the tailnet`, {
      advice: "its log says why",
      fix: `docker --host ${dockerHost} logs --tail 30 ${sidecar}`,
    });
  },
};

/** The sidecar's healthcheck passes: what Docker acts on (lesson 1). */
export const sidecar: Check = {
  id: "sidecar",
  from: "kvm",
  needs: ["tailnet", "postgres"],
  lesson: lesson(1),
  async look(scene) {
    const { kvm, postgres } = scene.target;
    const health = (await scene.container("kvm", kvm.sidecar))?.health;
    if (health === "healthy")
      return ok(`sidecar healthy: tailscaled up, Postgres ${postgres.host}:${postgres.port} reachable`);
    return fail(`Docker calls the sidecar ${kvm.sidecar} ${health || "nothing: it has no healthcheck"}`, {
      advice: "what it needs is there, so its next looks should pass: three of them, 5 s apart",
      fix: `docker --host ${kvm.dockerHost} inspect --format '{{json .State.Health}}' ${kvm.sidecar}`,
    });
  },
};
