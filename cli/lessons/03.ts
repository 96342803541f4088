import { tailnetAddress } from "../../lab/tailnet-nodes.ts";
import { bansOf } from "../parts/bans.ts";
import { labServer } from "../parts/stalwart-server.ts";
import type { Bench } from "./bench.ts";
import { dial, describeDialled, greeting } from "./dial.ts";
import type { Lesson, Seen } from "./lesson.ts";

/** A second address of the machine outside, so that its ban hits nothing else of the lab. */
const ATTACKER = "203.0.113.51";
const ADMIN_PORT = 8080;
/** A path that only scanners ask for: it bans at once, on either line. */
const SCANNED = "/wp-admin/setup-config.php";

export const lesson03: Lesson = {
  number: 3,
  title: "The edge was banned",
  preventedBy:
    "the tailnet and the edge's public address are never banned (`config/desired-state.ts`); every route sends PROXY v2 (`lib/caddy/config.ts`)",
  refusedBy: ["edge-never-banned", "edge-sends-proxy-protocol", "proxy-trust-is-narrow"],
  cause: {
    taken: "the edge was banned for probes of the mail ports, until a restart",
    found: "one scanner's path without a PROXY header bans, for good: bans lie in the data store",
  },
  // As the tailnet of the outage had it: the edge may open the admin port.
  touches: [":443"],
  config: { "tailwart:tailnet/operators": ["group:operators", "tag:reverse-proxy"] },

  async play(half) {
    const { bench } = half;
    const host = `stalwart.${bench.lab.facts.tailnetDomain}`;
    const edge = await tailnetAddress(bench.lab.layout, "edge");
    const asks = (path: string) =>
      dial(bench, "edge", host, ADMIN_PORT, { says: `GET ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n` });
    const before = await bench.within(
      30,
      async () => (await asks("/"))[0]?.line?.startsWith("HTTP/") ?? false,
    );
    if (before === undefined) throw new Error(`the edge cannot open ${host}:${ADMIN_PORT} to begin with`);

    await half.does(
      "a scanner's path is asked for at the admin port",
      `edge: GET http://${host}:${ADMIN_PORT}${SCANNED}`,
      () => asks(SCANNED),
    );
    await half.does(
      "the same is asked for through the edge",
      `outside, ${ATTACKER}: curl https://${bench.lab.facts.mailHost}${SCANNED}`,
      () => attack(bench),
    );
    await half.sees(
      {
        from: `edge: GET http://${host}:${ADMIN_PORT}/`,
        outage: "accepted and closed, while mail flows through the edge's port 25",
        held: "answered, and mail flows through the edge's port 25",
      },
      async () => {
        const admin = await asks("/");
        const mail = await greeting(bench);
        const words = `${describeDialled(admin)}; outside is greeted with "${mail ?? "nothing"}"`;
        if (!mail?.startsWith("220")) return { words, is: "neither" };
        return {
          words,
          is: admin[0]?.line?.startsWith("HTTP/")
            ? "held"
            : admin[0]?.outcome === "closed"
              ? "outage"
              : "neither",
        };
      },
    );
    await half.sees(
      {
        from: "operator: Stalwart's bans, by its API",
        outage: `the edge's node ${edge}, beside the attacker`,
        held: `the attacker ${ATTACKER} alone, who is not greeted any more`,
      },
      () => bans(bench, edge),
    );
    await forgive(bench);
  },

  async prepare(bench) {
    await address(bench, "add");
  },

  async restore(bench) {
    await forgive(bench);
    await address(bench, "del");
  },
};

async function bans(bench: Bench, edge: string): Promise<Seen> {
  const banned = await bansOf(labServer(bench.lab)).list();
  const greet = `{ sleep 2; echo QUIT; } | nc -w 5 -s ${ATTACKER} ${bench.lab.facts.wanAddress} 25`;
  const { stdout } = await bench.on("outside", ["sh", "-c", greet], { allowFailure: true });
  const words = `banned: ${banned.join(", ") || "nobody"}; the attacker is greeted with "${stdout.split("\r")[0]}"`;
  if (!banned.includes(ATTACKER) || stdout.includes("220")) return { words, is: "neither" };
  return { words, is: banned.includes(edge) ? "outage" : banned.length === 1 ? "held" : "neither" };
}

async function attack(bench: Bench): Promise<void> {
  const { mailHost, wanAddress } = bench.lab.facts;
  const where = ["--resolve", `${mailHost}:443:${wanAddress}`, `https://${mailHost}${SCANNED}`];
  const command = ["curl", "-sS", "-k", "--max-time", "10", "--interface", ATTACKER, "-o", "/dev/null"];
  await bench.on("outside", [...command, ...where], { allowFailure: true });
}

/** Takes away what the lesson has banned, and no other ban. */
async function forgive(bench: Bench): Promise<void> {
  const { list, lift } = bansOf(labServer(bench.lab));
  const edge = await tailnetAddress(bench.lab.layout, "edge");
  for (const each of (await list()).filter((ban) => [edge, ATTACKER].includes(ban))) await lift(each);
}

async function address(bench: Bench, action: "add" | "del"): Promise<void> {
  const { stdout } = await bench.on("outside", ["ip", "route", "get", bench.lab.facts.wanAddress]);
  const device = /dev (\S+)/.exec(stdout)?.[1] ?? "";
  const command = ["ip", "address", action, `${ATTACKER}/24`, "dev", device];
  // It may be there, or gone, since a replay that was cut off.
  await bench.on("outside", command, { allowFailure: true });
}
