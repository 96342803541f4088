import { UserError } from "../../lib/errors.ts";
import { PUBLIC_PORT } from "../../lab/smarthost.ts";
import { stackFlags } from "../parts/lab-config.ts";
import { pulumi } from "../parts/pulumi-cli.ts";
import { labServer, type StalwartServer } from "../parts/stalwart-server.ts";
import type { Bench } from "./bench.ts";
import { dial } from "./dial.ts";
import type { Lesson } from "./lesson.ts";
import { sendOut } from "./mail.ts";

/** Where a relay is, as the data store has it. */
interface Relay {
  host: string;
  port: number;
}

/** Another way to the same smarthost: by its public side, on a port that the provider lets out. */
const OTHER: Relay = { host: "mx.elsewhere.test", port: PUBLIC_PORT };
/** The relay's name in the store of the 0.15 line. */
const KEY = "queue.route.smarthost";
/** How long Stalwart may take to greet again. Seconds. */
const PATIENCE = 60;

export const lesson12: Lesson = {
  number: 12,
  title: "Routes that did not change",
  preventedBy: "each deploy writes, reloads, and proves the route with a probe (`provider/server/probe.ts`)",
  refusedBy: ["route-change-restarts"],
  // A rule for other people's scripts: this stack changes its routes by the provider alone.
  refuses: false,
  cause: {
    taken: "Stalwart builds its routes at its start alone, and a reload leaves them.",
    found: "At a start and by a reload, and never by the write alone.",
  },
  // The outage needs nobody's config: it is what a write alone does.
  deploys: false,

  async play(half) {
    const { bench, guard } = half;
    const change = guard ? "operator: pulumi up --refresh" : "admin API: the setting is written";
    await half.does("the stack is as it is declared", "operator: pulumi up", () => bench.deploy({}));
    bench.changedByHand();
    if (guard) {
      const command = "admin API: the setting is written, and reloaded";
      await half.does(`by hand mail was sent to ${OTHER.host}:${OTHER.port}`, command, async () => {
        await writeRelay(bench, OTHER);
        await reload(bench);
      });
    }
    await half.does("the route is changed", change, () =>
      guard ? putBack(bench) : writeRelay(bench, OTHER),
    );
    await half.sees(
      {
        from: "Stalwart's log, for a message after each step; its API, for what is stored",
        outage: "written: the old route; reloaded: the new one; restarted: the new one",
        held: "deployed: the new route, at once",
      },
      async () => {
        const stored = await storedRelay(bench);
        const first = await wayOf(bench);
        const told = [`${guard ? "deployed" : "written"} ${stored.host}:${stored.port}, mail went ${first}`];
        if (!guard) {
          await reload(bench);
          told.push(`reloaded: ${await wayOf(bench)}`);
          await restart(bench);
          told.push(`restarted: ${await wayOf(bench)}`);
        }
        const words = told.join("; ");
        if (first === `${stored.host}:${stored.port}`) return { words, is: "held" };
        const later = told.slice(1).every((each) => each.endsWith(`${stored.host}:${stored.port}`));
        return { words, is: later ? "outage" : "neither" };
      },
    );
  },

  restore: (bench) => Promise.resolve(bench.changedByHand()),
};

/** Which way a message went, as host:port. */
async function wayOf(bench: Bench): Promise<string> {
  const { attempts, arrived } = await sendOut(bench);
  const last = attempts.at(-1);
  if (!last || last.error !== undefined || !arrived) throw new Error("the message did not arrive");
  return `${last.host}:${last.port}`;
}

async function putBack({ lab: { stack } }: Bench): Promise<void> {
  const args = ["up", "--yes", "--skip-preview", "--refresh", ...stackFlags(stack)];
  const done = await pulumi(stack, args, { timeout: 280 });
  if (done.code !== 0) throw new UserError(`pulumi up failed:\n${done.stdout.slice(-2000)}${done.stderr}`);
}

async function rowOf(rows: StalwartServer["rows"]) {
  const all = (await rows.get(["MtaRoute"]))["MtaRoute"] ?? [];
  const found = all.find(({ name }) => name === "smarthost");
  if (!found) throw new Error("the lab's server has no route smarthost");
  return found;
}

async function writeRelay({ lab }: Bench, { host, port }: Relay): Promise<void> {
  const { isRegistry, keys, rows } = labServer(lab);
  if (isRegistry) {
    const { id } = await rowOf(rows);
    await rows.set("MtaRoute", { update: { [id]: { address: host, port } } }, {});
    return;
  }
  const values: [string, string][] = [
    [`${KEY}.address`, host],
    [`${KEY}.port`, String(port)],
  ];
  await keys.writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
}

async function storedRelay({ lab }: Bench): Promise<Relay> {
  const { isRegistry, keys, rows } = labServer(lab);
  if (isRegistry) {
    const { address, port } = await rowOf(rows);
    return { host: String(address), port: Number(port) };
  }
  const live = await keys.readSettings([`${KEY}.address`, `${KEY}.port`], []);
  return { host: live[`${KEY}.address`] ?? "", port: Number(live[`${KEY}.port`]) };
}

function reload({ lab }: Bench): Promise<void> {
  const { isRegistry, keys, rows } = labServer(lab);
  return isRegistry ? rows.reload() : keys.reload();
}

async function restart(bench: Bench): Promise<void> {
  await bench.docker("kvm", "restart", "--time", "30", bench.container("stalwart"));
  const greets = async () =>
    (await dial(bench, "edge", `stalwart.${bench.lab.facts.tailnetDomain}`, 25)).at(0)?.outcome === "open";
  if ((await bench.within(PATIENCE, greets)) === undefined)
    throw new Error(`Stalwart is not back within ${PATIENCE} s`);
}
