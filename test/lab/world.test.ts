// The lab's world by itself, in a lab of its own. Needs: Linux, root, and the toolchain in TAILWART_BIN.
import { execFile, spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { docker, ping, restartDocker } from "../../lab/boxes.ts";
import { cgroupsAt } from "../../lab/cgroups.ts";
import { labFacts } from "../../lab/config.ts";
import { layoutOf, MACHINES, type MachineName } from "../../lab/layout.ts";
import { runIn, stopMachine } from "../../lab/machine.ts";
import { tailnetAddress } from "../../lab/nodes.ts";
import { receivedMessages, sql, startPostgres, stopPostgres } from "../../lab/peers.ts";
import { allPids, commandLine, isAlive, processOf } from "../../lab/processes.ts";
import { down, up } from "../../lab/world.ts";
import { labProcesses, ownNetwork, remains } from "./nothing-left.ts";

const NAME = "worldtest";
const layout = layoutOf(NAME);
const CLI = fileURLToPath(new URL("../../lab/cli.ts", import.meta.url));
const quiet = { log: () => {} };
const run = promisify(execFile);

/** Whether a TCP connection opens within two seconds; a refused one is told from one that is swallowed. */
async function connect(
  from: MachineName,
  host: string,
  port: number,
): Promise<"open" | "refused" | "silent"> {
  const command = ["timeout", "2", "bash", "-c", `: < /dev/tcp/${host}/${port}`];
  const { code, stderr } = await runIn(layout.machines[from], command, { allowFailure: true });
  if (code === 0) return "open";
  if (code === 124) return "silent";
  expect(stderr).toContain("refused");
  return "refused";
}

let networkBefore: string;
let resolvBefore: string;

beforeAll(async () => {
  await down(NAME, quiet);
  networkBefore = await ownNetwork();
  resolvBefore = readFileSync("/etc/resolv.conf", "utf8");
  await up(NAME, quiet);
});

afterAll(() => down(NAME, quiet));

describe("the network", () => {
  test.each([25, 465, 587, 2525])("swallows the VPS's connections to port %i outside", async (port) => {
    expect(await connect("kvm", layout.machines.mail.address, port)).toBe("silent");
  });

  test("lets the VPS reach other ports, and others the smarthost's public side", async () => {
    // Nothing listens on :443 there: the answer comes from the far end, so the way is open.
    expect(await connect("kvm", layout.machines.mail.address, 443)).toBe("refused");
    expect(await connect("kvm", layout.machines.net.address, 5000)).toBe("open");
    expect(await connect("edge", layout.machines.mail.address, 25)).toBe("open");
    expect(await connect("outside", layout.machines.mail.address, 587)).toBe("open");
  });

  test("swallows SMTP of the VPS's containers, too", async () => {
    const { images, dockerHosts } = labFacts(layout);
    const container = [
      "docker",
      "-H",
      dockerHosts.kvm,
      "run",
      "--rm",
      "--entrypoint",
      "bash",
      images.edge,
      "-c",
    ];
    const script = (port: number) =>
      `timeout 2 bash -c ': < /dev/tcp/${layout.machines.mail.address}/${port}'; echo $?`;
    const [program = "docker", ...args] = container;
    const blocked = await run(program, [...args, script(587)]);
    expect(blocked.stdout.trim()).toBe("124");
    const open = await run(program, [...args, script(443)]);
    expect(open.stdout.trim()).toBe("1");
    expect(open.stderr).toContain("refused");
  });

  test("gives the VPS no IPv6", async () => {
    const { stdout } = await runIn(layout.machines.kvm, ["ip", "-6", "-o", "address"]);
    expect(stdout).toBe("");
    const edge = await runIn(layout.machines.edge, ["ip", "-6", "-o", "address"]);
    expect(edge.stdout).not.toBe("");
  });

  test("has the public names, and no others", async () => {
    const lookup = async (name: string) =>
      (await runIn(layout.machines.outside, ["getent", "ahosts", name], { allowFailure: true })).stdout;
    expect(await lookup("mail.lab.test")).toContain(layout.machines.edge.address);
    expect(await lookup("dual.lab.test")).toMatch(/203\.0\.113\.40[\s\S]*2001:db8::25/);
    expect(await lookup("the-record-prod.tail.test")).toBe("");
    expect(await lookup("example.org")).toBe("");
  });

  test("is nowhere in the machine's own namespace", async () => {
    expect(await ownNetwork()).toBe(networkBefore);
    expect(readFileSync("/etc/resolv.conf", "utf8")).toBe(resolvBefore);
  });
});

describe("the machines", () => {
  test("are two Docker hosts that do not see each other's containers", async () => {
    const { images, dockerHosts } = labFacts(layout);
    const args = ["-H", dockerHosts.kvm, "run", "--detach", "--name", "seen", "--entrypoint", "sleep"];
    await run("docker", [...args, images.edge, "infinity"]);
    const names = async (box: "kvm" | "edge") =>
      ((await docker(layout.boxes[box], "/containers/json")) as { Names: string[] }[]).flatMap(
        ({ Names }) => Names,
      );
    expect(await names("kvm")).toContain("/seen");
    expect(await names("edge")).not.toContain("/seen");
  });

  test("carry Stalwart's file capability through registry and pull", async () => {
    const { images, dockerHosts } = labFacts(layout);
    const limits = [
      "--cap-drop",
      "ALL",
      "--cap-add",
      "NET_BIND_SERVICE",
      "--security-opt",
      "no-new-privileges",
    ];
    const script = "id -u; getcap /usr/local/bin/stalwart; stalwart --version";
    const start = ["-H", dockerHosts.kvm, "run", "--rm", ...limits, "--entrypoint", "sh"];
    const { stdout, stderr } = await run("docker", [...start, images.stalwart, "-c", script]);
    expect(stdout).toMatch(/^2000\n.*cap_net_bind_service=ep\n/);
    expect(stdout + stderr).toMatch(/Stalwart|stalwart/);
  });

  test.runIf(process.env["TAILWART_FULL"])(
    "run the boot scripts after each start of Docker, also after a crash",
    async () => {
      const box = layout.boxes.kvm;
      await runIn(box, [
        "sh",
        "-c",
        `printf '#!/bin/sh\\ndocker version --format {{.Server.Os}}\\n' > ${box.bootDir}/probe.sh`,
      ]);
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await restartDocker(layout, box, signal);
        expect(await ping(box)).toBe(true);
      }
      const log = readFileSync(join(box.dir, "boot.log"), "utf8");
      expect(log.match(/probe\.sh ended with 0\nlinux/g)).toHaveLength(2);
    },
  );

  test("the edge asks MagicDNS, the other machines the public DNS", async () => {
    const nameservers = async (machine: MachineName) =>
      (await runIn(layout.machines[machine], ["cat", "/etc/resolv.conf"])).stdout;
    expect(await nameservers("edge")).toContain("nameserver 100.100.100.100");
    expect(await nameservers("db")).toBe(`nameserver ${layout.dns}\n`);
    expect(await tailnetAddress(layout, "db")).toMatch(/^100\./);
  });

  test("Postgres takes the stack's role over the tailnet only, and stays down when it was stopped", async () => {
    expect(await sql(layout, "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = 'stalwart'")).toBe(
      "stalwart",
    );
    const { password } = labFacts(layout).postgres;
    const url = `host=${layout.machines.db.address} user=stalwart dbname=stalwart`;
    const psql = ["sh", "-c", `read -r PGPASSWORD; export PGPASSWORD; psql "${url}" -c 'SELECT 1'`];
    const refused = await runIn(layout.machines.outside, psql, {
      stdin: `${password}\n`,
      allowFailure: true,
    });
    expect(refused.stderr).toContain("no pg_hba.conf entry");
    await stopPostgres(layout);
    expect(await connect("outside", layout.machines.db.address, 5432)).toBe("refused");
    await up(NAME, quiet);
    expect(await connect("outside", layout.machines.db.address, 5432)).toBe("refused");
    await startPostgres(layout, { force: true });
    expect(await connect("outside", layout.machines.db.address, 5432)).toBe("open");
  });

  test("the smarthost takes mail for any domain and shows it", async () => {
    const lines = [
      "EHLO x",
      "MAIL FROM:<a@outside.test>",
      "RCPT TO:<b@no.such.test>",
      "DATA",
      "Subject: seen\r\n\r\nhi\r\n.",
      "QUIT",
    ];
    const talk = lines.map((line) => `sleep 0.3; printf '%s\\r\\n' '${line}'`).join("; ");
    await runIn(layout.machines.outside, [
      "bash",
      "-c",
      `{ ${talk}; } | nc -q 2 ${layout.machines.mail.address} 587`,
    ]);
    await expect
      .poll(() => receivedMessages(layout), { timeout: 10_000 })
      .toContainEqual(expect.stringMatching(/Delivered-To: b@no\.such\.test[\s\S]*Subject: seen/));
  });
});

describe("up and down", () => {
  test("a second up starts nothing", async () => {
    const before = labProcesses(layout).map(({ pid }) => pid);
    const daemons = (pid: number) =>
      /dockerd|knotd|pebble|docker-registry|headscale|postgres -D|tailscaled|master/.test(
        commandLine(pid).join(" "),
      );
    const lines: string[] = [];
    await up(NAME, { log: (line) => lines.push(line) });
    expect(before.filter(daemons).length).toBeGreaterThan(8);
    expect(before.filter(daemons).filter((pid) => processOf(pid) === undefined)).toEqual([]);
    expect(
      labProcesses(layout)
        .map(({ pid }) => pid)
        .filter(daemons)
        .sort(),
    ).toEqual(before.filter(daemons).sort());
    expect(lines.filter((line) => / up \(/.test(line) && !line.includes("is up"))).toEqual([]);
  });

  test("up brings a crashed machine back with its data and its tailnet address", async () => {
    await sql(layout, "CREATE TABLE kept (); ", "stalwart");
    const address = await tailnetAddress(layout, "db");
    await stopMachine(layout.machines.db);
    await up(NAME, quiet);
    expect(await sql(layout, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'", "stalwart")).toBe(
      "1",
    );
    expect(await tailnetAddress(layout, "db")).toBe(address);
  });

  test("the generated passwords are the owner's alone to read", () => {
    const facts = labFacts(layout);
    for (const file of [layout.secretsFile, facts.apiKeyFile, facts.passphraseFile])
      expect(statSync(file).mode & 0o077, file).toBe(0);
    const arguments_ = allPids().flatMap(commandLine).join("\n");
    expect(arguments_).toContain(layout.stateDir);
    expect(arguments_).not.toContain(facts.postgres.password);
  });

  test("down leaves nothing: no process, container, namespace, mount, cgroup or file", async () => {
    const before = labProcesses(layout);
    expect(before.length).toBeGreaterThan(15);
    // The container of an earlier test still runs.
    expect(cgroupsAt(layout.boxes.kvm.cgroup).length).toBeGreaterThan(0);
    await down(NAME, quiet);
    expect(before.filter(isAlive)).toEqual([]);
    expect(remains(layout)).toEqual([]);
    expect(await ownNetwork()).toBe(networkBefore);
    await down(NAME, quiet);
  });

  test.each([0.4, 1.5, 4])("down leaves nothing of an up that was killed after %d s", async (seconds) => {
    const child = spawn(process.execPath, [CLI, "up", "--name", NAME], { stdio: "ignore" });
    await sleep(seconds * 1000);
    expect(child.exitCode).toBeNull();
    child.kill("SIGKILL");
    await sleep(100);
    await down(NAME, quiet);
    expect(remains(layout)).toEqual([]);
    expect(labProcesses(layout)).toEqual([]);
  });

  test.runIf(process.env["TAILWART_FULL"])("an up after a killed one completes", async () => {
    const child = spawn(process.execPath, [CLI, "up", "--name", NAME], { stdio: "ignore" });
    await sleep(2_000);
    child.kill("SIGKILL");
    await up(NAME, quiet);
    expect(await connect("outside", layout.machines.mail.address, 587)).toBe("open");
    expect(await tailnetAddress(layout, "edge")).toMatch(/^100\./);
    await Promise.all(MACHINES.map((name) => runIn(layout.machines[name], ["true"])));
  });
});
