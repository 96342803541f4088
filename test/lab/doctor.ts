// The doctor as somebody runs it, and what makes each of its rows red.
import { runCommand } from "../../lib/run-command.ts";
import type { Row } from "../../verify/doctor/examine.ts";
import { LAB } from "./setup.ts";

/** What `npm run doctor -- --json` prints. */
export interface Outcome {
  code: number;
  state: string;
  seconds: number;
  rows: Row[];
}

/** The command's own file. */
export const DOCTOR = new URL("../../cli/doctor.ts", import.meta.url).pathname;

/** Runs the doctor on the tests' lab. */
export async function doctor(...args: string[]): Promise<Outcome> {
  const command = [DOCTOR, "--name", LAB, "--json", ...args];
  const done = await runCommand(process.execPath, command, { deadline: 60_000 });
  if (done.status > 1) throw new Error(`the doctor ended with ${done.status}: ${done.stderr}`);
  return { ...(JSON.parse(done.stdout) as Omit<Outcome, "code">), code: done.status };
}

/** Takes a ban away, as the doctor's row says. */
export async function unbanned(address: string): Promise<void> {
  const command = [DOCTOR, "--name", LAB, "--unban", address];
  const done = await runCommand(process.execPath, command, { deadline: 60_000 });
  if (done.status !== 0) throw new Error(`--unban ended with ${done.status}: ${done.stderr}`);
}

/** Ids of the rows that fail or cannot be told: what was not asked is laid to these. */
export const red = ({ rows }: Outcome): string[] =>
  rows
    .filter(({ state, because }) => (state === "fail" || state === "unknown") && because === undefined)
    .map(({ id }) => id);

/** The row's words and what is to be done, for a look at them. */
export const told = ({ rows }: Outcome, id: string): string => {
  const row = rows.find((each) => each.id === id);
  return row
    ? [row.seen, row.advice, row.fix].filter((text) => text !== undefined).join("\n")
    : `no row ${id}`;
};
