// Another server in front of the lab's stack, whose certificate is not the mail host's.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { issue } from "../../lab/ca.ts";
import { redirectingPort } from "../../lab/firewall.ts";
import { imaps, startImpostor } from "../../lab/impostor.ts";
import type { Fault } from "./doctor-faults.ts";
import { layout } from "./lab.ts";

const { edge } = layout.machines;
const PORT = 19_993;
const redirected = redirectingPort(edge, 993, PORT);

/** What is taken back, the last first. */
const undo: (() => Promise<unknown>)[] = [];

export const TLS_FAULTS: readonly Fault[] = [
  {
    what: "one port shows a certificate for another name",
    row: "certificates",
    says: /the certificate of port 993 is for other\.test, and not for mail\.lab\.test/,
    async inject() {
      const folder = join(edge.dir, "other-certificate");
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await issue(layout, "other.test", folder);
      undo.push(await startImpostor(edge, PORT, imaps(folder)));
      await redirected.begin();
      undo.push(() => redirected.end());
    },
    async heal() {
      for (let next = undo.pop(); next; next = undo.pop()) await next();
    },
  },
];
