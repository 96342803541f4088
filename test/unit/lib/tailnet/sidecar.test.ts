import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCommand } from "../../../../lib/run-command.ts";
import { SIDECAR_START } from "../../../../lib/tailnet/sidecar.ts";

/** Debian's programs by family; the name that calls them tells them what to do. */
const FAMILIES = { nft: "/usr/sbin/xtables-nft-multi", legacy: "/usr/sbin/xtables-legacy-multi" };
type Family = keyof typeof FAMILIES;

/** What a family says on a kernel that lacks it (iptables 1.8), and its exit status. */
const LACKING = {
  nft: 'echo "iptables: Failed to initialize nft: Protocol not supported" >&2; exit 1',
  legacy: `echo "can't initialize iptables table \\\`filter': Table does not exist" >&2; exit 3`,
};

/** As tailscale/tailscale links them on its Alpine (Dockerfile.base). */
const OFFICIAL = {
  ...Object.fromEntries(
    (["nft", "legacy"] as const).flatMap((family) => [
      [`-${family}`, family],
      [`-${family}-restore`, family],
    ]),
  ),
  "": "legacy",
  "-restore": "nft",
} satisfies Record<string, Family>;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "tailwart-sidecar-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of programs for PATH: those of an image, on a kernel that may lack a family. */
function image(links: Record<string, Family>, lacking: readonly Family[] = []): string {
  const path = mkdtempSync(join(folder, "bin-"));
  const script = (name: string, text: string) => {
    writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(path, name), 0o755);
  };
  for (const [suffix, family] of Object.entries(links)) {
    for (const name of [`iptables${suffix}`, `ip6tables${suffix}`]) {
      if (lacking.includes(family)) script(name, LACKING[family]);
      else symlinkSync(FAMILIES[family], join(path, name));
    }
  }
  script("containerboot", 'echo "containerboot, firewall mode ${TS_DEBUG_FIREWALL_MODE:-own choice}"');
  return path;
}

/** Whether a packet gets in from there. */
interface Knocks {
  loopback: string;
  tailnet: string;
  bridge: string;
}

/** The sidecar's start, run with the programs of an image. */
const started = (path: string) => `PATH=${path}:/usr/bin:/bin sh -c "$START" 2>&1 || echo "exit $?"`;

/**
 * Makes a namespace as the anchor holds it, with a neighbour on the bridge and on the tailnet; runs
 * lines of shell in it, one after the other as restarts are; and knocks.
 */
async function inNamespace(...lines: string[]): Promise<{ said: string[]; knocks: Knocks }> {
  const script = `set -e
mount -t sysfs sysfs /sys # a container's own, which knows the namespace's devices
ip link set lo up
unshare --net sleep 60 >/dev/null 2>&1 & neighbour=$!
trap 'kill $neighbour' EXIT
until [ "$(readlink /proc/$neighbour/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
# Packets to ports without a listener: they have come through the firewall.
arrived() { grep '^Udp: [0-9]' /proc/net/snmp | cut -d ' ' -f 3; }
beside() { nsenter --net=/proc/$neighbour/ns/net "$@"; }
join() { # $1: device  $2: network
  ip link add "$1" type veth peer name "$1" netns $neighbour
  ip address add "$2.2/24" dev "$1"; ip link set "$1" up
  beside ip address add "$2.3/24" dev "$1"; beside ip link set "$1" up
}
join eth0 172.30.9
join tailscale0 100.64.9
${lines.join("\n")}
knock() { # $1: from where  $2: address  $3: how to get there
  before=$(arrived)
  $3 bash -c "echo >/dev/udp/$2/9" 2>/dev/null || : # no route from a neighbour without the device
  sleep 0.1
  [ "$(arrived)" = "$before" ] && echo "knock $1 dropped" || echo "knock $1 in"
}
knock bridge 172.30.9.2 beside; knock tailnet 100.64.9.2 beside; knock loopback 127.0.0.1`;
  const env = { ...process.env, START: SIDECAR_START, XTABLES_LOCKFILE: join(folder, "lock") };
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  // Processes of their own: nothing that was started is left, and none can be hit by mistake.
  const processes = ["--pid", "--fork", "--kill-child", "--mount-proc"];
  const args = [...asRoot, "--net", ...processes, "sh", "-c", script];
  const { status, stdout, stderr } = await runCommand("unshare", args, { deadline: 20_000, env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const said = stdout.trim().split("\n");
  const knocks = said.filter((line) => line.startsWith("knock ")).map((line) => line.split(" ").slice(1));
  return {
    said: said.filter((line) => !line.startsWith("knock ")),
    knocks: Object.fromEntries(knocks) as unknown as Knocks,
  };
}

/** Runs the start in such a namespace. */
const start = (path: string) => inNamespace(started(path));

const GUARDED: Knocks = { loopback: "in", tailnet: "in", bridge: "dropped" };
const STARTED = "containerboot, firewall mode own choice";

test("the sidecar's start is a script that sh can read", async () => {
  expect(await runCommand("sh", ["-n"], { stdin: SIDECAR_START, deadline: 5000 })).toMatchObject({
    status: 0,
    stderr: "",
  });
});

test("nothing is dropped in the namespace without the sidecar's start", async () => {
  expect((await inNamespace()).knocks).toEqual({ loopback: "in", tailnet: "in", bridge: "in" });
});

test("with the official image's links, only loopback and the tailnet are let in", async () => {
  expect(await start(image(OFFICIAL))).toEqual({ said: [STARTED], knocks: GUARDED });
});

test("on a kernel without legacy tables they hold as well, and tailscaled is told to speak nftables", async () => {
  const { said, knocks } = await start(image(OFFICIAL, ["legacy"]));
  expect(said).toEqual(["containerboot, firewall mode nftables"]);
  expect(knocks).toEqual(GUARDED);
});

test("on a kernel without nftables they hold as well, and the log says what was tried", async () => {
  const { said, knocks } = await start(image(OFFICIAL, ["nft"]));
  expect(said).toEqual([
    "tailwart: iptables-nft-restore: iptables: Failed to initialize nft: Protocol not supported",
    "tailwart: ip6tables-nft-restore: iptables: Failed to initialize nft: Protocol not supported",
    STARTED,
  ]);
  expect(knocks).toEqual(GUARDED);
});

test.each(["nft", "legacy"] as const)(
  "an image that has only %s, under the bare names, is enough",
  async (family) => {
    const bare = image({ "": family, "-restore": family });
    expect(await start(bare)).toEqual({ said: [STARTED], knocks: GUARDED });
  },
);

test("where no family can write the rules, containerboot does not start", async () => {
  const { said } = await start(image(OFFICIAL, ["nft", "legacy"]));
  expect(said.at(-2)).toBe("tailwart: no iptables of this image can write its rules on this host");
  expect(said.at(-1)).toBe("exit 1");
  expect(said.join("\n")).not.toContain("containerboot");
});

test("without a firewall for IPv6 it starts only where nothing but loopback has IPv6", async () => {
  const path = image(OFFICIAL);
  for (const name of readdirSync(path)) if (name.startsWith("ip6")) rmSync(join(path, name));
  const told = "tailwart: no ip6tables of this image can write its rules on this host";
  const without = ["eth0", "tailscale0"].map(
    (each) => `echo 1 >/proc/sys/net/ipv6/conf/${each}/disable_ipv6`,
  );
  expect((await start(path)).said).toEqual([told, "exit 1"]);
  expect(await inNamespace(...without, started(path))).toEqual({ said: [told, STARTED], knocks: GUARDED });
});

describe("a namespace that outlives its sidecars", () => {
  const LEGACY = { "": "legacy", "-restore": "legacy" } as const;

  test("holds the rules once, and none of those that an earlier start left in the other family", async () => {
    const [official, legacy] = [image(OFFICIAL), image(LEGACY)];
    const rules = ["nft", "legacy"].map((family) => `${official}/iptables-${family} -S INPUT 2>/dev/null`);
    const starts = [legacy, official, official].map(started);
    const { said, knocks } = await inNamespace(...starts, ...rules);
    const accepts = [
      "-A INPUT -i lo -j ACCEPT",
      "-A INPUT -i tailscale0 -j ACCEPT",
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ];
    expect(said).toEqual([
      STARTED,
      STARTED,
      STARTED,
      "-P INPUT DROP",
      ...accepts,
      "-A INPUT -j DROP",
      "-P INPUT ACCEPT",
      ...accepts,
      "-A INPUT -j ACCEPT",
    ]);
    expect(knocks).toEqual(GUARDED);
  });

  test("lets no packet in while they follow each other, in whichever family", async () => {
    const images = [image(OFFICIAL), image(LEGACY), image(OFFICIAL, ["legacy"])].map(started);
    const flood = `nsenter --net=/proc/$neighbour/ns/net bash -c 'while :; do echo >/dev/udp/172.30.9.2/9; done' 2>/dev/null & flood=$!`;
    // A gap is some microseconds: about one packet in seven restarts of the same family finds it.
    const same = Array.from({ length: 40 }, () => images[0]!);
    const restarts = [...images, ...images, ...same];
    const run = (...lines: string[]) => inNamespace(...lines, "kill $flood", "arrived");
    expect(Number((await run(flood, "sleep 0.2")).said.at(-1))).toBeGreaterThan(10);
    const { said } = await run(`${started(image(OFFICIAL))}`, flood, ...restarts);
    expect(said.at(-1)).toBe("0");
    expect(said).toHaveLength(restarts.length + 2);
  });
});

describe("the namespace that an ended anchor leaves", () => {
  /** Starts the sidecar with a containerboot that goes on until SIGTERM, and then ends with 7. */
  function goesOn(...then: string[]): Promise<{ said: string[] }> {
    const path = image(OFFICIAL);
    const onTerm = "trap 'echo SIGTERM after $((SECONDS - begun)) s; exit 7' TERM";
    const text = `#!/bin/bash\nbegun=$SECONDS\n${onTerm}\nwhile :; do sleep 0.1; done\n`;
    writeFileSync(join(path, "containerboot"), text);
    const start = `PATH=${path}:/usr/bin:/bin sh -c "$START" 2>&1 & sidecar=$!; sleep 1.5`;
    return inNamespace(start, ...then, 'wait $sidecar || echo "exit $?"');
  }

  test("is left: containerboot is ended some seconds after the bridge is gone, and the log says why", async () => {
    const { said } = await goesOn("ip link delete eth0");
    expect(said[0]).toBe("tailwart: eth0 is gone, so the anchor has ended; leaving for its next namespace");
    expect(said[1]).toMatch(/^SIGTERM after [4-9] s$/);
    expect(said[2]).toBe("exit 7");
  });

  test("before, Docker's SIGTERM reaches containerboot at once, and its exit status is the sidecar's", async () => {
    expect((await goesOn("kill -TERM $sidecar")).said).toEqual([
      expect.stringMatching(/^SIGTERM after [123] s$/),
      "exit 7",
    ]);
  });
});
