// Stalwart itself serves mail.
import { type Check, fail, lesson, ok } from "../check.ts";

/** bash's own TCP, since Stalwart's image has no nc. */
const LOCAL_BANNER = `exec 3<>/dev/tcp/127.0.0.1/25 && IFS= read -r -t 5 line <&3 && printf 'QUIT\\r\\n' >&3 && case "$line" in 220*) exit 0 ;; esac; exit 1`;

/** It greets with 220 in its own namespace. */
export const stalwart: Check = {
  id: "stalwart",
  from: "namespace",
  needs: ["postgres", "stalwart-runs"],
  lesson: lesson(16),
  async look(scene) {
    if ((await scene.inStalwart(LOCAL_BANNER, 9)).status === 0) return ok("Stalwart greets on 127.0.0.1:25");
    const { dockerHost, stalwart: name } = scene.target.kvm;
    const by = (verb: string) => `docker --host ${dockerHost} ${verb} ${name}`;
    const log = await scene.docker("kvm", ["logs", "--tail", "3", name], 8);
    return fail(
      `Stalwart does not greet on 127.0.0.1:25; its last lines:\n${log.stdout}${log.stderr}`.trimEnd(),
      { advice: "what it waits for stands in its log", fix: by("logs --tail 50") },
    );
  },
};
