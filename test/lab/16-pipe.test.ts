// Decision 16: the provider's pipe into Stalwart's container, through a real daemon: what it leaves
// there when an end of it is killed, and what an error says.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, test } from "vitest";

import { UnreachableError } from "../../provider/server/pipe.ts";
import { dockerTransport } from "../../provider/server/transport.ts";
import { container, docker, eventually, layout } from "./lab.ts";

const HOST = layout.boxes.kvm.dockerHost;
const question = (deadline = 20_000) => ({
  where: "GET /healthz/live",
  method: "GET",
  url: "http://127.0.0.1:8080/healthz/live",
  deadline,
});

/** What a pipe runs in Stalwart's container. */
const pumps = (): string[] =>
  docker("kvm", "top", container("stalwart"), "-eo", "pid,args")
    .split("\n")
    .filter((line) => /^ *\d+ +(cat$|bash --norc)/.test(line));

/** A process that has asked once, and keeps the connection or goes on asking. */
async function asker(rest: string): Promise<ChildProcess> {
  const script = `
    import { dockerTransport } from "${new URL("../../provider/server/transport.ts", import.meta.url).href}";
    const { ask } = dockerTransport(${JSON.stringify(HOST)}, ${JSON.stringify(container("stalwart"))});
    const question = ${JSON.stringify(question())};
    await ask(question);
    console.log("asked");
    ${rest}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

describe("nothing of the pipe is left in Stalwart's container", () => {
  test.each([
    ["the process that has opened it is killed while it is kept", "setInterval(() => undefined, 1000);", ""],
    ["that process is killed amid requests", "for (;;) await ask(question);", ""],
    ["the docker CLI is killed", "setInterval(() => undefined, 1000);", "docker"],
  ])("once %s", async (_, rest, program) => {
    const child = await asker(rest);
    expect(pumps()).not.toEqual([]);
    const pid = String(child.pid);
    const victim = program ? execFileSync("pgrep", ["-P", pid, program]).toString().trim() : pid;
    process.kill(Number(victim), "SIGKILL");
    await eventually("no process of the pipe", 10, () => pumps().length === 0);
    child.kill("SIGKILL");
  });
});

describe("an error of the pipe", () => {
  const asked = (name: string) =>
    dockerTransport(HOST, name)
      .ask(question())
      .catch((error: unknown) => error);

  test("says which program is missing in an image without bash", async () => {
    const error = await asked(container("sidecar"));
    expect(error).not.toBeInstanceOf(UnreachableError);
    expect(String(error)).toMatch(
      /exec -i tailwart-\S+-sidecar: there is no bash.*executable file not found/,
    );
  });

  test.each([
    ["a container that is not there", `${container("stalwart")}-none`, /No such container/],
    ["one that does not run", `${container("stalwart")}-files`, /is not running/],
  ])("tells %s", async (_, name, words) => {
    const error = await asked(name);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(String(error)).toMatch(words);
  });
});
