import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
  budgetLeft,
  issuances,
  RATIONED_DIRECTORY,
  startCaBudget,
  startCertspotter,
  stopFake,
} from "../../lab/fakes/index.ts";
import type { Bench } from "./bench.ts";
import { type Half, type Lesson, type Seen, withoutGuard } from "./lesson.ts";
import { stalwartLog } from "./mail.ts";

/** Clients of their own, new each time. */
const ID = `lesson-7-${randomUUID().slice(0, 8)}`;
/** A site of the edge's own: what proves it ends at Caddy. */
const HOST = "www.lab.test";
/** Stalwart's pauses double: the sixth order of a client comes after a minute. Seconds. */
const PATIENCE = 150;

/** What two hands set up: the same name at two clients, which neither of them can prove. */
const STORM = [`${ID}-a`, `${ID}-b`].map((id, i) => ({
  id,
  directory: RATIONED_DIRECTORY,
  contact: ["postmaster@lab.test"],
  challenge: "http-01",
  names: [HOST],
  default: i === 0,
}));

export const lesson07: Lesson = {
  number: 7,
  title: "Certificates are rationed",
  preventedBy: "one ACME client for a name, and no order that must fail (`config/problems/certificates.ts`)",
  refusedBy: ["one-acme-client-per-name"],
  touches: ["the certificate"],
  // Others are shown the certificate that it waits for.
  when: "first",
  mistaken: true,
  config: { "tailwart:acme/0/id": ID, "tailwart:acme/0/directory": RATIONED_DIRECTORY },
  ways: [{ name: "", config: { ...withoutGuard(7), "tailwart:acme": STORM } }],

  async prepare(bench) {
    await fillBuckets(bench);
    await startCertspotter(bench.lab.layout);
  },

  async play(half) {
    const { bench } = half;
    const { layout } = bench.lab;
    const { mailDomain } = bench.lab.facts;
    await half.sees(
      {
        from: "the CA's log (a fake's) and Stalwart's, of the orders",
        outage: "429 rateLimited: too many failed authorizations (5) in the last hour",
        held: "the wildcard is issued",
      },
      () => ordered(half),
    );
    await half.sees(
      {
        from: "fake CA budget: what is left of failed proofs (5 an hour) and equal certificates (5 a week)",
        outage: "no failed proof is left for the name",
        held: "of the wildcard all five failed proofs, and four of five certificates",
      },
      async () => {
        const { failed, set } = await budgetLeft(layout);
        const proofs = Object.entries(failed).map(([key, left]) => [key.split("/").at(-1), left] as const);
        const told = proofs.map(([key, left]) => `account ${key}: ${left} of 5`).join(", ");
        const sets = Object.entries(set).map(([names, left]) => `${names}: ${left} of 5`);
        const words = `failed proofs: ${told || "none spent"}; certificates: ${sets.join(", ") || "none spent"}`;
        if (set[`*.${mailDomain}`] === 4 && !proofs.some(([key]) => key?.endsWith(` ${mailDomain}`)))
          return { words, is: "held" };
        return { words, is: proofs.some(([, left]) => left === 0) ? "outage" : "neither" };
      },
    );
    await half.sees(
      {
        from: `fake certspotter: GET /v1/issuances?domain=${mailDomain}&include_subdomains=true`,
        outage: "nothing was issued for all of it",
        held: "one certificate, for the wildcard",
      },
      async () => {
        const issued = await issuances(layout, mailDomain);
        const words = issued.map((each) => `${each.dns_names.join()} since ${each.not_before}`).join("; ");
        if (issued.length === 0) return { words: "no issuance", is: "outage" };
        return { words, is: issued.length === 1 ? "held" : "neither" };
      },
    );
    // The other half begins with full buckets, as another week would.
    if (!half.guard)
      await half.does("an hour and a week pass", "net: the fake starts over", () => fillBuckets(bench));
  },

  async restore({ lab: { layout } }) {
    await stopFake(layout, "ca-budget");
    await stopFake(layout, "certspotter");
  },
};

/** How long the CA's log was when the buckets were full last. */
let begun = 0;
async function fillBuckets(bench: Bench): Promise<void> {
  await startCaBudget(bench.lab.layout);
  begun = caLog(bench).length;
}

const caLog = ({ lab }: Bench) => readFileSync(join(lab.layout.logDir, "net-fake-ca-budget.log"), "utf8");

/**
 * Waits until a certificate is there, or without the guard until an order is refused for the number
 * of those before it. With it such a refusal is one of the storm's last, whose clients go slowly.
 */
async function ordered({ bench, guard }: Half): Promise<Seen> {
  const refused = () => /refused: (too many .*?) UTC: see/.exec(caLog(bench).slice(begun))?.[1];
  const issued = async () =>
    (await stalwartLog(bench)).some((line) => line.includes(ID) && line.includes("acme.process-cert"));
  const took = await bench.within(
    PATIENCE,
    async () => (!guard && refused() !== undefined) || (await issued()),
    {
      every: 2000,
    },
  );
  const seconds = (took ?? PATIENCE).toFixed(0);
  // What the storm may still order until its clients are gone is not the new one's.
  if (await issued()) return { words: `issued, seen after ${seconds} s`, is: "held" };
  const orders = caLog(bench).slice(begun).split("POST /order-plz 201").length - 1;
  const limited = refused();
  if (limited !== undefined)
    return { words: `${orders} orders, and then 429: ${limited}, seen after ${seconds} s`, is: "outage" };
  return { words: `${orders} orders in ${seconds} s, neither issued nor refused`, is: "neither" };
}
