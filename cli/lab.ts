// `npm run lab -- …`: the lab's world by itself, without the stack in it.
import { parseArgs } from "node:util";

import { describeError, UserError } from "../lib/errors.ts";
import { restartDocker } from "../lab/docker-hosts.ts";
import { describe, inspect } from "../lab/status.ts";
import { BOXES, layoutOf, MACHINES, type BoxName, type Layout, type MachineName } from "../lab/topology.ts";
import { logFile, logFiles } from "../lab/logs.ts";
import { inMachine } from "../lab/machine.ts";
import { networkIsUp } from "../lab/namespaces.ts";
import { startPostgres, stopPostgres } from "../lab/postgres.ts";
import { SYSTEM_ENV } from "../lab/run.ts";
import { inForeground } from "./parts/foreground.ts";
import { down, up } from "../lab/lab.ts";
import type { Missing } from "./lessons/lesson.ts";

const USAGE = `Usage: npm run lab -- COMMAND [--name NAME]

  up                        start what does not run of the lab's world
  down                      remove the world and its state
  info [--json]             what there is and how to reach it
  exec MACHINE -- COMMAND   run a command inside a machine:
                            ${MACHINES.join(", ")}
                            (in kvm, edge and edge2, \`docker\` is the machine's own)
  logs [LOG] [--follow]     list the logs, or show one
  restart kvm-docker|edge-docker|edge2-docker [--kill]
                            restart a machine's Docker daemon
                            (--kill: as after a crash)
  postgres stop|start       stop the database, also for the next \`up\`,
                            or start it again
  faults [FAULT…] [--messages N] [--record] [--json]
                            break the stack under traffic, all faults or some,
                            and hold what was taken against what is found
                            (default: 1000 messages a fault; --record: into
                            docs/reliability.json)
  lessons [N]… [--json] [--record] [--cut | --cut-from-code]
                            replay outages on the deployed stack: each without
                            its guard, and with it (--record: also for the
                            pages in docs/lessons; --cut: what should hold is
                            played without the guard, which must be noticed;
                            --cut-from-code: the same, where this code has the
                            guard no more, see npm run test:guards)

  --name NAME               which lab (default: lab, or $TAILWART_LAB)

Exit codes: 0 done, 1 failed, 2 wrong usage; exec: the command's own.
lessons: 1 when an outage did not come without its guard, or came with it.`;

/** Wrong usage: exit code 2. */
class UsageError extends Error {}

interface Flags {
  json: boolean;
  follow: boolean;
  kill: boolean;
  messages: string;
  record: boolean;
  cut?: Missing;
}

type Command = (
  layout: Layout,
  args: string[],
  flags: Flags,
  command: string[],
) => Promise<number | undefined>;

// Pulumi and the review stand behind lessons and faults; the other commands start without them.
const COMMANDS: Record<string, Command> = {
  async up(layout, args) {
    takes(args, 0);
    await up(layout.name);
    return 0;
  },
  async down(layout, args) {
    takes(args, 0);
    await down(layout.name);
    return 0;
  },
  async info(layout, args, { json }) {
    takes(args, 0);
    const info = await inspect(layout);
    console.log(json ? JSON.stringify(info, null, 2) : describe(info));
    return 0;
  },
  async exec(layout, args, _flags, command) {
    takes(args, 1);
    if (command.length === 0) throw new UsageError("exec needs a command after `--`");
    mustBeUp(layout);
    const name = oneOf<MachineName>(args[0], MACHINES);
    const env = { ...SYSTEM_ENV, TERM: process.env["TERM"] ?? "dumb" };
    return await inForeground(inMachine(layout.machines[name], command), { env });
  },
  async logs(layout, args, { follow }) {
    if (args.length === 0) {
      mustBeUp(layout);
      for (const [name, path] of Object.entries(logFiles(layout))) console.log(`${name.padEnd(18)} ${path}`);
      return 0;
    }
    takes(args, 1);
    const path = logFile(layout, args[0] ?? "");
    return await inForeground(["tail", "--lines=200", ...(follow ? ["--follow=name"] : []), path], {
      env: SYSTEM_ENV,
    });
  },
  async restart(layout, args, { kill }) {
    takes(args, 1);
    const choices = BOXES.map((name) => `${name}-docker`);
    const name = oneOf(args[0], choices).replace("-docker", "") as BoxName;
    mustBeUp(layout);
    await restartDocker(layout, layout.boxes[name], kill ? "SIGKILL" : "SIGTERM");
    console.log(`✓ ${name}: dockerd restarted`);
    return 0;
  },
  async postgres(layout, args) {
    takes(args, 1);
    const verb = oneOf(args[0], ["stop", "start"]);
    mustBeUp(layout);
    if (verb === "stop") await stopPostgres(layout);
    else await startPostgres(layout, { force: true });
    console.log(`✓ db: postgres ${verb === "stop" ? "stopped" : "is up"}`);
    return 0;
  },
  async faults(layout, faults, { json, messages, record }) {
    if (!/^[1-9]\d{0,4}$/.test(messages))
      throw new UsageError(`--messages takes a number from 1 to 20000, not "${messages}"`);
    mustBeUp(layout);
    const { runFaults } = await import("./faults/command.ts");
    return await runFaults({ name: layout.name, faults, messages: Number(messages), json, record });
  },
  async lessons(layout, args, flags) {
    const { chosen, replayLessons } = await import("./lessons/command.ts");
    const lessons = chosen(args);
    mustBeUp(layout);
    return await replayLessons(layout.name, lessons, flags);
  },
  lesson: (...given) => (COMMANDS["lessons"] as Command)(...given),
};

async function main(argv: string[]): Promise<number> {
  try {
    const split = argv.indexOf("--");
    const [own, command] = split < 0 ? [argv, []] : [argv.slice(0, split), argv.slice(split + 1)];
    const { values, positionals } = parse(own);
    const [verb, ...args] = positionals;
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const run = verb === undefined ? undefined : COMMANDS[verb];
    if (!run)
      throw new UsageError(verb === undefined ? "a command is missing" : `there is no command "${verb}"`);
    const { json = false, follow = false, kill = false, record = false, cut = false } = values;
    const missing: Missing | undefined = values["cut-from-code"]
      ? "from the code"
      : cut
        ? "from the config"
        : undefined;
    const flags = {
      ...{ json, follow, kill, record, messages: values.messages ?? "1000" },
      ...(missing && { cut: missing }),
    };
    return (
      (await run(layoutOf(values.name ?? process.env["TAILWART_LAB"] ?? "lab"), args, flags, command)) ?? 1
    );
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    console.error(`error: ${describeError(error)}`);
    return error instanceof UserError && ["--name", "lessons"].includes(error.path ?? "") ? 2 : 1;
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: "string" },
        json: { type: "boolean" },
        follow: { type: "boolean", short: "f" },
        kill: { type: "boolean" },
        messages: { type: "string" },
        record: { type: "boolean" },
        cut: { type: "boolean" },
        "cut-from-code": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // Node goes on about words that begin with a dash.
    throw new UsageError((error as Error).message.split(/(?<=[^.])\. /)[0]);
  }
}

function mustBeUp(layout: Layout): void {
  const hint = `start it with: npm run lab -- up${layout.name === "lab" ? "" : ` --name ${layout.name}`}`;
  if (!networkIsUp(layout)) throw new UserError(`the lab "${layout.name}" is down`, { hint });
}

function takes(args: string[], count: number): void {
  if (args.length !== count) {
    const expected = count === 0 ? "nothing" : count === 1 ? "one word" : `${count} words`;
    const given = args.length === 0 ? "nothing" : args.map((word) => `"${word}"`).join(" ");
    throw new UsageError(`${expected} expected after the command, ${given} given`);
  }
}

function oneOf<T extends string>(value: string | undefined, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw new UsageError(
      `${value === undefined ? "a word is missing, one" : `"${value}" is none`} of: ${choices.join(", ")}`,
    );
  return found;
}

process.exitCode = await main(process.argv.slice(2));
