import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { startName, startScript, systemdUnit } from "../../../lib/start-unit.ts";

/**
 * A docker of one stack: containers are files named after their role. They hold "up", "stopped" by
 * hand, or "given up".
 */
const DOCKER = `#!/bin/sh
cd "$STATE" || exit 9
echo "$*" >> calls
case "$1" in
ps)
  case "$*" in *"status=exited "*"label=tailwart.stack=tailwart/prod "*) ;; *) exit 0 ;; esac
  for role in stalwart sidecar edge anchor; do
    [ ! -e "$role" ] || [ "$(cat "$role")" = up ] || echo "$role $role"
  done ;;
inspect)
  eval id=\\\${$#}
  [ "$(cat "$id")" != "given up" ] || echo "cannot join network of a non running container: anchor" ;;
start)
  # A container that joins another's namespace cannot start before its owner.
  [ "$2" = anchor ] || [ "$(cat anchor)" = up ] || { echo "cannot join" >&2; exit 1; }
  echo up > "$2" ;;
esac
`;

/** The script goes on for ever; its pause ends it after some rounds. */
const SLEEP = `#!/bin/sh
echo round >> "$STATE/rounds"
[ "$(wc -l < "$STATE/rounds")" -lt "$ROUNDS" ] || kill "$PPID"
[ ! -x "$STATE/meanwhile" ] || "$STATE/meanwhile"
`;

let folder: string;
const program = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o755);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-start-"));
  program("docker", DOCKER);
  program("sleep", SLEEP);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function watch(containers: Record<string, string>, { stack = "tailwart/prod", rounds = 1 } = {}) {
  for (const [role, state] of Object.entries(containers)) writeFileSync(join(folder, role), `${state}\n`);
  const env = { PATH: `${folder}:/usr/bin:/bin`, STATE: folder, ROUNDS: String(rounds) };
  const options = { stdin: startScript(stack), deadline: 10_000, env };
  const { stdout, stderr } = await runCommand("sh", [], options);
  const calls = existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8") : "";
  const started = [...calls.matchAll(/^start (\w+)$/gm)].map(([, id]) => id);
  return { stdout, stderr, started };
}

describe("the start script", () => {
  test("starts what Docker has given up, the namespace's owner first, and says after what", async () => {
    const all = { anchor: "given up", sidecar: "given up", stalwart: "given up" };
    const { started, stdout, stderr } = await watch(all);
    expect(started).toEqual(["anchor", "sidecar", "stalwart"]);
    expect(stdout).toMatch(/^started sidecar again, after: cannot join network/m);
    expect(stderr).toBe("");
  });

  test("leaves alone what runs, and what was stopped by hand", async () => {
    const all = { anchor: "up", sidecar: "stopped", stalwart: "given up" };
    expect((await watch(all, { rounds: 3 })).started).toEqual(["stalwart"]);
  });

  test("tries again, without a word, until the owner is up", async () => {
    program("meanwhile", `#!/bin/sh\n[ "$(wc -l < "$STATE/rounds")" != 2 ] || echo up > "$STATE/anchor"\n`);
    const all = { anchor: "stopped", sidecar: "given up" };
    const { started, stdout, stderr } = await watch(all, { rounds: 4 });
    expect(started).toEqual(["sidecar", "sidecar", "sidecar"]);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toBe("");
  });

  test("leaves the containers of other stacks alone", async () => {
    const { started } = await watch({ anchor: "given up" }, { stack: "tailwart/other" });
    expect(started).toEqual([]);
  });
});

test("the systemd unit runs the script for as long as Docker runs", () => {
  const unit = systemdUnit("/usr/local/sbin/x.sh");
  expect(unit).toMatch(/^ExecStart=\/usr\/local\/sbin\/x\.sh$/m);
  expect(unit).toMatch(/^After=docker\.service$/m);
  expect(unit).toMatch(/^PartOf=docker\.service$/m);
  expect(unit).toMatch(/^WantedBy=docker\.service$/m);
});

test("two stacks on one host have a unit each", () => {
  expect(startName("tailwart/prod")).toBe("tailwart-start-tailwart-prod");
  expect(startName("tailwart/other")).not.toBe(startName("tailwart/prod"));
});
