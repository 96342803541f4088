// What Stalwart's own log of the last hour tells.
import { type Check, fail, lesson, ok, skip, warn } from "../check.ts";
import { acmeTrouble, lastAlert, type LogLine, readLog } from "../doctor/log-lines.ts";
import type { DoctorScene } from "../doctor/target.ts";

const lastHour = (scene: DoctorScene): Promise<LogLine[]> =>
  scene.once("log 1h", () => logSince(scene, "1h"));

/** Stalwart's log of a time that Docker understands, such as `1h`. */
export async function logSince(scene: DoctorScene, since: string): Promise<LogLine[]> {
  const { stalwart } = scene.target.kvm;
  const log = await scene.docker("kvm", ["logs", "--timestamps", "--since", since, stalwart], 9);
  if (log.status !== 0) throw new Error(`docker logs ${stalwart}: ${log.stderr.trim() || "no answer"}`);
  return readLog(log.stdout + log.stderr);
}

const clockOf = ({ at }: LogLine) => `${at.toISOString().slice(11, 16)} UTC`;

/** The watch does not start Stalwart over again and again (lesson 16). */
export const watch: Check<DoctorScene> = {
  id: "watch",
  from: "kvm",
  needs: ["kvm-docker"],
  lesson: lesson(16),
  async look(scene) {
    const { dockerHost, stalwart } = scene.target.kvm;
    const alert = lastAlert(await lastHour(scene));
    if (alert === undefined) return ok("the watch has called for nobody within the hour");
    const fix = `docker --host ${dockerHost} logs --since 1h ${stalwart}`;
    const seen = `${clockOf(alert)}: ${alert.text}`;
    return Date.now() - alert.at.getTime() < 60_000
      ? fail(seen, { advice: "starting over does not cure it; is Postgres slow, or its pool full?", fix })
      : warn(seen, { advice: "it serves since", fix });
  },
};

/** Orders for certificates end well (lessons 2 and 7). */
export const acme: Check<DoctorScene> = {
  id: "acme",
  from: "kvm",
  needs: ["kvm-docker"],
  lesson: lesson(2),
  async look(scene) {
    if ((scene.target.settings.acme ?? []).length === 0) return skip("tailwart:acme names no client");
    const trouble = acmeTrouble(await lastHour(scene));
    if (trouble === undefined) return ok("no order for a certificate has failed within the hour");
    return fail(`${clockOf(trouble)}: ${trouble.text}`, {
      advice: "each failed proof counts towards the CA's limit of five an hour: mend the cause first",
      fix: `npm run doctor -- ${scene.target.named} --canary   # writes a record by the same key`,
    });
  },
};
