// `npm run doctor`: asks a deployed stack, lab or your own, whether all of it works, and names the
// cause when not.
import { join } from "node:path";
import { isIP } from "node:net";

import { layoutOf } from "../lab/topology.ts";
import { operatorOf } from "../lab/operator.ts";
import { CHECKS } from "../verify/checks/index.ts";
import { receiverOf } from "./doctor/alerts.ts";
import { type Looping, millisecondsOf } from "./doctor/loop.ts";
import type { DoctorOrder } from "./doctor/order.ts";
import { targetOf } from "./doctor/target.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { dkimRecordsOf } from "./parts/dkim-records.ts";
import { configFileOf, configIn } from "./parts/config-file.ts";
import { inForeground } from "./parts/foreground.ts";
import { runMain } from "./parts/progress.ts";
import { enter, PROJECT } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run doctor [-- --stack STACK | --name NAME] [--only ID,…] [--json]
       npm run doctor -- --loop [--every 5m] [--alert URL] [--metrics PORT]
       npm run doctor -- --unban ADDRESS

Asks a deployed stack whether it works, all checks side by side, from this
machine, the KVM host, Stalwart's network namespace, the edge and the internet.
Says the cause first, with what was seen and what to do. Changes nothing,
unless it is asked to.

  --stack STACK   a stack of your own, by its Pulumi.STACK.yaml
  --name NAME     a lab's stack (default: lab, or $TAILWART_LAB)
  --only ID,…     these checks and what they need: --only relay,edge. The
                  beginning of several stands for all of them: dns, port
  --list          the checks, and where each looks from
  --json          the outcome as JSON on standard output
  --canary        also writes a TXT record by the DNS server's key, reads it and
                  takes it away: whether the next certificate can be had
  --unban ADDRESS takes Stalwart's ban of an address away, and does nothing else
  --loop          looks again and again, until it is stopped
  --every TIME    how often: 30s, 5m, 1h (default: 5m; 10s at least)
  --alert URL     tells what has changed: a webhook that takes JSON, or a topic
                  of ntfy as ntfy:https://ntfy.sh/TOPIC. An address with a secret
                  in it: in $TAILWART_ALERT instead
  --metrics PORT  serves http://127.0.0.1:PORT/metrics in Prometheus' format

Exit codes: 0 nothing fails (warnings too), 1 something fails or cannot be told,
2 wrong usage.`;

const { name, values } = labArguments(USAGE, {
  stack: { type: "string" },
  only: { type: "string" },
  list: { type: "boolean" },
  json: { type: "boolean" },
  canary: { type: "boolean" },
  unban: { type: "string" },
  loop: { type: "boolean" },
  every: { type: "string" },
  alert: { type: "string" },
  metrics: { type: "string" },
});
const stack = values["stack"] as string | undefined;
if (stack !== undefined && values["name"] !== undefined)
  wrongUsage("--name and --stack exclude each other", USAGE);
const ids = CHECKS.map(({ id }) => id);
const only = (values["only"] as string | undefined)?.split(",").flatMap(named) ?? ids;

/** A check, or all whose ids begin so: `dns` for dns-mx and its like. */
function named(word: string): string[] {
  const found = ids.filter((id) => id === word || id.startsWith(`${word}-`));
  if (found.length === 0)
    wrongUsage(`--only: there is no check "${word}"; there are ${ids.join(", ")}`, USAGE);
  return found;
}

const looping = loopOf();
const unban = values["unban"] as string | undefined;
if (unban !== undefined && isIP(unban) === 0) wrongUsage(`--unban: "${unban}" is no address`, USAGE);

await runMain(async () => {
  if (values["list"] === true) {
    for (const { id, from, needs } of CHECKS)
      console.log(
        `${id.padEnd(16)} ${from.padEnd(10)} ${needs.length > 0 ? `needs ${needs.join(", ")}` : ""}`.trimEnd(),
      );
    return;
  }
  const config = configIn(configFileOf(stack, name));
  // Pulumi takes seconds to tell them.
  const isAsked = unban === undefined && only.includes("dns-dkim");
  const dkimRecords = isAsked ? await dkimRecordsOf(config, stack, name) : {};
  const order: DoctorOrder = {
    target: {
      ...targetOf(config, stack ?? name, dkimRecords),
      ...(stack === undefined && { named: `--name ${name}` }),
      canary: values["canary"] === true,
    },
    only,
    json: values["json"] === true,
    color: process.stdout.isTTY && !process.env["NO_COLOR"],
    unban,
    loop: looping,
  };
  process.exitCode = await asOperator(order);
});

/** How it loops, if it does. */
function loopOf(): Looping | undefined {
  const text = (key: string) => values[key] as string | undefined;
  if (values["loop"] !== true) {
    const alone = ["every", "alert", "metrics"].find((key) => values[key] !== undefined);
    return alone === undefined ? undefined : wrongUsage(`--${alone} goes with --loop`, USAGE);
  }
  const every = millisecondsOf(text("every") ?? "5m");
  const url = text("alert") ?? process.env["TAILWART_ALERT"];
  const alert = url ? receiverOf(url) : undefined;
  const metrics = text("metrics") === undefined ? undefined : Number(text("metrics"));
  if (every === undefined) return wrongUsage("--every accepts 10s or more, such as 30s, 5m or 1h", USAGE);
  if (url && alert === undefined)
    return wrongUsage(
      "--alert accepts https://… for a webhook, or ntfy:https://… for a topic of ntfy",
      USAGE,
    );
  if (metrics !== undefined && !(Number.isInteger(metrics) && metrics > 0 && metrics < 65_536))
    return wrongUsage("--metrics accepts a port", USAGE);
  return { every, alert, metrics };
}

/** Only the lab's operator reaches its hosts; a stack of one's own is reached from here. */
function asOperator(order: DoctorOrder): Promise<number> {
  const layout = layoutOf(name);
  const inside = { netns: layout.machines.operator.netns, etc: operatorOf(layout).etc };
  const own = [process.execPath, join(PROJECT, "cli", "doctor", "main.ts")];
  return inForeground([...(stack ? [] : enter(inside)), ...own], { stdin: JSON.stringify(order) });
}
