// The lab's world by itself, in a lab of its own. Needs: Linux, root, and the toolchain in
// TAILWART_BIN.
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { sql, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { receivedMessages } from "../../lab/smarthost.ts";
import { enter } from "../../cli/parts/pulumi-cli.ts";
import { docker, ping, restartDocker } from "../../lab/docker-hosts.ts";
import { cgroupsAt } from "../../lab/cgroups.ts";
import { labFacts } from "../../lab/facts.ts";
import { givenImages } from "../../lab/images/given.ts";
import { layoutOf, MACHINES, type MachineName } from "../../lab/topology.ts";
import { runIn, stopMachine } from "../../lab/machine.ts";
import { tailnetAddress } from "../../lab/tailnet-nodes.ts";
import { operatorOf } from "../../lab/operator.ts";
import { allPids, commandLine, isAlive, processOf } from "../../lab/processes.ts";
import { runInNetns } from "../../lab/run.ts";
import { down, up } from "../../lab/lab.ts";
import { systemdUnit } from "../../lib/start-unit.ts";
import { reachProbe, readReach } from "../../verify/reach.ts";
import { labProcesses, ownNetwork, remains } from "./nothing-left.ts";
import { UP_ARGUMENTS } from "./setup.ts";

const NAME = "worldtest";
const layout = layoutOf(NAME);
const CLI = fileURLToPath(new URL("../../cli/lab.ts", import.meta.url));
const quiet = { log: () => {} };
const run = promisify(execFile);

/**
 * Whether a TCP connection opens within two seconds; a refused one is told from one that is
 * swallowed.
 */
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
  const options = { image: { type: "string", multiple: true }, line: { type: "string" } } as const;
  const { image = [], line } = parseArgs({ args: UP_ARGUMENTS, options }).values;
  await up(NAME, { ...quiet, images: await givenImages(image, line) });
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
    const { images } = labFacts(layout);
    const container = [
      "docker",
      "-H",
      layout.boxes.kvm.dockerHost,
      "run",
      "--rm",
      "--entrypoint",
      "sh",
      images.edge,
      "-c",
    ];
    // verify's own probe, which has to tell the two apart by what the image's BusyBox says.
    const reach = async (port: number) => {
      const [program = "docker", ...args] = container;
      const { stdout } = await run(program, [...args, reachProbe(layout.machines.mail.address, port)]);
      return readReach(stdout);
    };
    expect(await reach(587)).toBe("timeout");
    expect(await reach(443)).toBe("refused");
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
    expect(await lookup("www.lab.test")).toContain(layout.machines.edge.address);
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
    const { images } = labFacts(layout);
    const args = [
      "-H",
      layout.boxes.kvm.dockerHost,
      "run",
      "--detach",
      "--name",
      "seen",
      "--entrypoint",
      "sleep",
    ];
    await run("docker", [...args, images.edge, "infinity"]);
    const names = async (box: "kvm" | "edge") =>
      ((await docker(layout.boxes[box], "/containers/json")) as { Names: string[] }[]).flatMap(
        ({ Names }) => Names,
      );
    expect(await names("kvm")).toContain("/seen");
    expect(await names("edge")).not.toContain("/seen");
  });

  test("carry a file capability through registry and pull", async () => {
    const { images } = labFacts(layout);
    // The kernel refuses a program whose capability is outside of what the container may have.
    const version = (...limits: string[]) => {
      const start = ["-H", layout.boxes.edge.dockerHost, "run", "--rm", "--cap-drop", "ALL", ...limits];
      return run("docker", [...start, "--entrypoint", "caddy", images.edge, "version"]);
    };
    await expect(version()).rejects.toThrow(/operation not permitted/i);
    expect((await version("--cap-add", "NET_BIND_SERVICE")).stdout).toMatch(/^v2\./);
  });

  test.runIf(process.env["TAILWART_FULL"])(
    "start the units that are enabled for Docker after each start of it, also after a crash",
    async () => {
      const box = layout.boxes.kvm;
      const sh = (line: string, stdin = "") => runIn(box, ["sh", "-c", line], { stdin, allowFailure: true });
      const write = (name: string, program: string) =>
        sh(`cat > /etc/systemd/system/${name}.service`, systemdUnit(program));
      await write("probe", "docker version --format {{.Server.Os}}");
      await write("broken", "false");
      expect(await sh("systemctl daemon-reload && systemctl enable probe broken")).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("Created symlink /etc/systemd/system/docker.service.wants/probe"),
      });
      expect(await sh("systemctl enable nothing")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("nothing.service does not exist"),
      });
      expect(await sh("systemctl start nothing.service")).toMatchObject({ code: 5 });
      const started = () => readFileSync(join(box.dir, "fake-journal.log"), "utf8").match(/^linux$/gm);
      for (const [starts, signal] of [
        [1, "SIGTERM"],
        [2, "SIGKILL"],
      ] as const) {
        await restartDocker(layout, box, signal);
        expect(await ping(box)).toBe(true);
        // The unit runs beside everything else: a daemon that ended before it has asked would fail
        // it.
        await expect.poll(started, { timeout: 10_000 }).toHaveLength(starts);
      }
      expect((await sh("systemctl disable probe broken")).code).toBe(0);
    },
  );

  test("the edge's resolver answers public and MagicDNS names, and 100.100.100.100 no public one", async () => {
    const { edge } = layout.machines;
    const lookup = async (name: string) =>
      (await runIn(edge, ["getent", "hosts", name], { allowFailure: true })).stdout;
    expect(await lookup("www.lab.test")).toContain(edge.address);
    expect(await lookup("edge.tail.test")).toContain(await tailnetAddress(layout, "edge"));
    const ask = `const resolver = new (require("dns").promises.Resolver)();
      resolver.setServers(["100.100.100.100"]);
      for (const name of ["edge.tail.test", "www.lab.test"])
        resolver.resolve4(name).then(console.log, ({ code }) => console.log(name, code));`;
    const { stdout } = await runInNetns(edge.netns, [process.execPath, "-e", ask]);
    expect(stdout).toMatch(/100\.64\./);
    expect(stdout).toMatch(/www\.lab\.test ESERVFAIL/);
  });

  test("the other machines ask the public DNS", async () => {
    const { stdout } = await runIn(layout.machines.db, ["cat", "/etc/resolv.conf"]);
    expect(stdout).toBe(`nameserver ${layout.dns}\n`);
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

describe("the Docker hosts, over ssh", () => {
  const { home, etc } = operatorOf(layout);
  const { netns } = layout.machines.operator;

  /** What ssh printed, run as the operator. */
  const ssh = (...args: string[]): Promise<string> => {
    const [program = "", ...rest] = [...enter({ netns, etc }), "ssh", "-o", "BatchMode=yes", ...args];
    return run(program, rest).then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => error.stderr,
    );
  };

  test("are entered as root of a disk of their own, and limit logins and sessions as Debian does", async () => {
    expect(await ssh("ssh://root@kvm", "hostname; echo $HOME; docker version --format {{.Server.Os}}")).toBe(
      "kvm\n/root\nlinux\n",
    );
    expect(await ssh("ssh://root@edge", "echo > /usr/local/sbin/mark; ls /usr/local/sbin")).toContain("mark");
    expect(existsSync("/usr/local/sbin/mark")).toBe(false);
    const limits = await ssh("ssh://root@kvm", "sshd -T | grep -E '^max(startups|sessions)' | sort");
    expect(limits).toBe("maxsessions 10\nmaxstartups 10:30:100\n");
  });

  test("open to no other key than the operator's", async () => {
    const stranger = ["-F", "none", "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"];
    const said = await ssh(...stranger, "-i", "/dev/null", `root@${layout.boxes.kvm.address}`, "id");
    expect(said).toMatch(/Permission denied \(publickey/);
  });

  test("are refused when one shows another key than the one that is known", async () => {
    const file = join(home, ".ssh", "known_hosts");
    const known = readFileSync(file, "utf8");
    // Another connection than the one that is kept open.
    const anew = ["-o", "ControlPath=none", "ssh://root@kvm", "id"];
    const { edge, kvm } = layout.boxes;
    const others = known.split("\n").filter((line) => line.startsWith(edge.address));
    writeFileSync(file, others.join("\n").replaceAll(edge.address, kvm.address));
    expect(await ssh(...anew)).toMatch(/Host key verification failed/);
    writeFileSync(file, known);
    expect(await ssh(...anew)).toContain("uid=0");
  });
});

describe("up and down", () => {
  test("a second up starts nothing", async () => {
    const before = labProcesses(layout).map(({ pid }) => pid);
    const daemons = (pid: number) =>
      /dockerd|sshd|systemd-resolved|knotd|pebble|docker-registry|headscale|postgres -D|tailscaled|master/.test(
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
