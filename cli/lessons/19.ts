import { renewReceiver, stopReceiver } from "../../lab/receiver.ts";
import type { DkimStep } from "../../lib/dns/dkim-steps.ts";
import type { Overrides } from "../parts/lab-config.ts";
import type { Bench } from "./bench.ts";
import { judged, judgedForwarded, type Judged } from "./judged.ts";
import { type Lesson, withoutGuard } from "./lesson.ts";

/** The lab's key, which is of RSA, and one of ed25519. */
const selectors = (rsa: DkimStep, ed25519: DkimStep): Overrides => ({
  "tailwart:dkim/selectors": [
    { name: "lab2026", use: rsa },
    { name: "ed2026", use: ed25519, algorithm: "ed25519" },
  ],
});
const ALONE = { ...selectors("retire", "sign"), ...withoutGuard(19) };

export const lesson19: Lesson = {
  number: 19,
  title: "ed25519 signatures",
  preventedBy: "a key of ed25519 signs beside one of RSA alone (`config/problems/dns.ts`)",
  refusedBy: ["dkim-published"],
  cause: {
    taken:
      "Stalwart's ed25519 signatures are wrong: a large receiver fails them, and passes RSA's beside them.",
    found: "They are right, and OpenDKIM passes them; that receiver does not know the algorithm.",
  },
  ways: [{ name: "", config: ALONE }],
  deploys: false,

  // One that is to sign is published first: a preview refuses the step that is left out.
  async prepare(bench) {
    await bench.deploy(selectors("sign", "publish"), { pack: false });
  },

  async play(half) {
    const { bench } = half;
    const deploys = (what: string, config: Overrides) =>
      half.does(what, "operator: pulumi up", () => bench.deploy(config, { pack: false }));
    if (half.guard) await deploys("a key of RSA signs beside it", selectors("sign", "sign"));
    else await deploys("a key of ed25519 signs alone", ALONE);
    await renewReceiver(bench.lab.layout, "mail-dkim");
    let own: Judged | undefined;
    await half.sees(
      {
        from: "a receiver that knows no ed25519 (Mail::DKIM), of a message that is sent to it",
        outage: "no signature that it can check: dkim=neutral; DMARC passes by SPF alone",
        held: "dkim=pass, by RSA's signature",
      },
      async () => {
        own = await judged(bench);
        const { words, judgement } = own;
        const { spf, dkim = "", dmarc } = judgement;
        if (spf !== "pass" || dmarc !== "pass") return { words, is: "neither" };
        if (dkim.split(" ").includes("pass")) return { words, is: "held" };
        return { words, is: words.includes("(unsupported algorithm ed25519-sha256)") ? "outage" : "neither" };
      },
    );
    await half.sees(
      {
        from: "the same receiver, of that message as somebody has forwarded it",
        outage: "neither SPF nor DKIM proves it: dmarc=fail",
        held: "dmarc=pass, by DKIM",
      },
      async () => {
        if (!own) return { words: "there is none to forward", is: "neither" };
        const { words, judgement } = await judgedForwarded(bench, own);
        const { spf, dmarc } = judgement;
        if (spf === "pass") return { words, is: "neither" };
        return { words, is: dmarc === "pass" ? "held" : dmarc === "fail" ? "outage" : "neither" };
      },
    );
  },

  async restore(bench) {
    await stopReceiver(bench.lab.layout);
    await retired(bench);
  },
};

/** What has signed is retired before it goes; where it has not, there is nothing to retire. */
const retired = (bench: Bench) => bench.deploy(selectors("sign", "retire"), { pack: false, mayFail: true });
