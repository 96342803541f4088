import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { startName, startScript, systemdUnit } from "../../../lib/start-unit.ts";

/** A docker of one stack: containers are files named after their role, which hold "up", "down" or "restarting". */
const DOCKER = `#!/bin/sh
cd "$STATE" || exit 9
echo "$*" >> calls
case "$1" in
ps)
  case "$*" in *"label=tailwart.stack=tailwart/prod "*) ;; *) exit 0 ;; esac
  role=\${*##*tailwart.role=}
  [ ! -e "$role" ] || echo "$role" ;;
inspect)
  eval id=\\\${$#}
  case "$(cat "$id")" in up) echo truefalse ;; down) echo falsefalse ;; *) echo truetrue ;; esac ;;
start)
  # A container that joins another's namespace cannot start before its owner.
  [ "$2" = anchor ] || [ "$(cat anchor)" = up ] || exit 1
  if [ -s "failures-$2" ]; then sed -i 1d "failures-$2"; exit 1; fi
  echo up > "$2" ;;
esac
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-start-"));
  writeFileSync(join(folder, "docker"), DOCKER);
  writeFileSync(join(folder, "sleep"), "#!/bin/sh\n");
  for (const name of ["docker", "sleep"]) chmodSync(join(folder, name), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function boot(containers: Record<string, string>, stack = "tailwart/prod") {
  for (const [role, state] of Object.entries(containers)) writeFileSync(join(folder, role), `${state}\n`);
  const env = { PATH: `${folder}:/usr/bin:/bin`, STATE: folder };
  const { status, stderr } = await runCommand("sh", [], { stdin: startScript(stack), deadline: 10_000, env });
  const calls = existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8") : "";
  const started = [...calls.matchAll(/^start (\w+)$/gm)].map(([, id]) => id);
  return { status, stderr, started };
}

describe("the start script", () => {
  test("starts what Docker left down, the namespace's owner first", async () => {
    const all = { anchor: "down", sidecar: "down", stalwart: "down", edge: "down" };
    expect(await boot(all)).toMatchObject({ status: 0, started: ["anchor", "sidecar", "stalwart"] });
  });

  test("touches nothing that runs or is being restarted", async () => {
    const all = { anchor: "up", sidecar: "restarting", stalwart: "down" };
    expect(await boot(all)).toMatchObject({ status: 0, started: ["stalwart"] });
    expect((await boot({ anchor: "up", sidecar: "up", stalwart: "up" })).started).toEqual(["stalwart"]);
  });

  test("tries again when a start fails", async () => {
    writeFileSync(join(folder, "failures-anchor"), "1\n2\n");
    const { status, started } = await boot({ anchor: "down", sidecar: "down" });
    expect(status).toBe(0);
    expect(started.filter((id) => id === "anchor")).toHaveLength(3);
    expect(started.at(-1)).toBe("sidecar");
  });

  test("gives up after ten rounds and says which stack did not start", async () => {
    writeFileSync(join(folder, "failures-anchor"), "x\n".repeat(50));
    const { status, stderr, started } = await boot({ anchor: "down" });
    expect(status).toBe(1);
    expect(stderr).toContain("tailwart/prod");
    expect(started).toHaveLength(10);
  });

  test("leaves the containers of other stacks alone", async () => {
    expect(await boot({ anchor: "down" }, "tailwart/other")).toMatchObject({ status: 0, started: [] });
  });
});

test("the systemd unit runs the script each time that Docker has started", () => {
  const unit = systemdUnit("/usr/local/sbin/x.sh");
  expect(unit).toMatch(/^ExecStart=\/usr\/local\/sbin\/x\.sh$/m);
  expect(unit).toMatch(/^After=docker\.service$/m);
  expect(unit).toMatch(/^WantedBy=docker\.service$/m);
});

test("two stacks on one host have a unit each", () => {
  expect(startName("tailwart/prod")).toBe("tailwart-start-tailwart-prod");
  expect(startName("tailwart/other")).not.toBe(startName("tailwart/prod"));
});
