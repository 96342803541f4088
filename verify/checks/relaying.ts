// One SMTP session through the edge, as somebody outside has it: whom Stalwart takes the client
// for, and whether it sends on what strangers send to strangers.
//
// It comes from the edge's own public address, which Stalwart never bans (lesson 3): each refused
// recipient counts towards a ban, 35 a day (server.auto-ban.abuse.rate, listener/blocked.rs).
import { randomBytes } from "node:crypto";

import { classifyHost } from "../../lib/addresses.ts";
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, type Finding, lesson, ok, skip, unknown } from "../check.ts";
import { dialFrom } from "../dial.ts";
import { Dialogue } from "../dialogue.ts";
import { addressOfEhlo } from "../doctor/log-lines.ts";
import type { DoctorScene } from "../doctor/target.ts";
import { logSince } from "./log.ts";

/** What the session says; each part is there as soon as it is said. */
interface Session {
  /** Our own name in it, which the log knows it by. */
  name: string;
  /** The reply to EHLO. */
  hello: Promise<string>;
  /** The reply to a recipient of a domain that is none of ours. */
  recipient: Promise<string>;
}

const sessionOf = (scene: DoctorScene): Promise<Session | undefined> =>
  scene.once(`session ${scene.wanAddress}`, () => Promise.resolve(openSession(scene)));

function openSession({ target: { edge }, wanAddress }: DoctorScene): Session | undefined {
  if (!edge) return undefined;
  const stream = dialFrom(edge.dockerHost, edge.container, wanAddress, 25);
  const name = `doctor-${randomBytes(6).toString("hex")}.tailwart.invalid`;
  const talk = new Dialogue(stream);
  const hello = talk.answer(undefined, 6_000).then(() => talk.ask(`EHLO ${name}`));
  const recipient = hello
    .then(() => talk.ask("MAIL FROM:<>"))
    // Stalwart lets who names a wrong one wait for 5 s.
    .then(() => talk.ask(`RCPT TO:<relay-check@${name}>`, undefined, 8_000))
    .finally(() => talk.leave("QUIT"));
  // Whoever waits for it hears of it.
  recipient.catch(() => undefined);
  return { name, hello, recipient };
}

/** Why there is no session: from a banned address there is none, which another row tells. */
async function noSession({ api, wanAddress }: DoctorScene, error: unknown): Promise<Finding> {
  const isBanned = (await api.bans()).includes(wanAddress);
  return isBanned
    ? { ...unknown(`Stalwart has banned ${wanAddress}`), because: "bans" }
    : unknown(`the session ended early: ${wordsOf(error)}`);
}

/** A stranger's mail for another domain is refused. */
export const openRelay: Check<DoctorScene> = {
  id: "open-relay",
  perEdge: true,
  from: "edge",
  needs: ["edge"],
  lesson: lesson(10),
  seconds: 14,
  async look(scene) {
    const session = await sessionOf(scene);
    if (session === undefined) return skip("no edge to ask");
    const recipient = await session.recipient.catch((error: unknown) => noSession(scene, error));
    if (typeof recipient !== "string") return recipient;
    if (recipient.startsWith("5")) return ok(`mail of strangers for strangers is refused: ${recipient}`);
    if (recipient.startsWith("2"))
      return fail(`an open relay: it takes mail of strangers for strangers: ${recipient}`, {
        advice: "somebody has changed who may relay; stop the edge until that is mended",
        fix: "pulumi up --refresh",
      });
    return unknown(`neither taken nor refused: ${recipient}`);
  },
};

/** Stalwart sees clients by their own address, from the edge's PROXY header (lesson 3). */
export const proxy: Check<DoctorScene> = {
  id: "proxy",
  perEdge: true,
  from: "edge",
  needs: ["edge"],
  lesson: lesson(3),
  seconds: 14,
  async look(scene) {
    const { logLevel } = scene.target.settings;
    if (logLevel === "error" || logLevel === "warn")
      return skip(`Stalwart logs no client at logLevel ${logLevel}`);
    const session = await sessionOf(scene);
    if (session === undefined) return skip("no edge to ask");
    const hello = await session.hello.catch((error: unknown) => noSession(scene, error));
    if (typeof hello !== "string") return hello;
    const address = addressOfEhlo(await logSince(scene, "2m"), session.name);
    if (address === undefined) return unknown("Stalwart's log does not show the doctor's own session");
    if (classifyHost(address).startsWith("tailnet"))
      return fail(`Stalwart takes every client for ${address}, the edge's node`, {
        advice: "the PROXY header is not sent, or not believed: one attacker would get everybody banned",
        fix: "pulumi up --refresh",
      });
    return ok(`Stalwart saw a client by its own address: ${address}`);
  },
};
