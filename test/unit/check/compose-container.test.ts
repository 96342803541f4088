import { describe, expect, test } from "vitest";

import { UNKNOWN } from "../../../policies/check/resource.ts";
import { checkFiles, placesOf, projectIn } from "./folder.ts";

const inputsOf = (lines: string, rest = "", files: Record<string, string> = {}) =>
  projectIn({ ...files, "compose.yml": `services:\n  a:\n    image: a:1\n${lines}\n${rest}` }).container("a")
    .inputs;

describe("a service becomes the container that Docker's provider would make", () => {
  test.each([
    ["image: db", { image: "db:latest" }],
    ["image: r:5000/db", { image: "r:5000/db:latest" }],
    ["image: db@sha256:00", { image: "db@sha256:00" }],
    ["container_name: x", { name: "x" }],
    ["user: 1000", { user: "1000" }],
    ["privileged: true", { privileged: true }],
    ["privileged: ${P:-true}", { privileged: true }],
    ["pid: host", { pidMode: "host" }],
    ["ipc: host", { ipcMode: "host" }],
    ["userns_mode: host", { usernsMode: "host" }],
    ["restart: always", { restart: "always" }],
    ["init: true", { restart: "no" }],
    ["deploy: { restart_policy: { condition: any } }", { restart: "always" }],
    ["deploy: { restart_policy: { condition: on-failure } }", { restart: "on-failure" }],
    ["cap_add: [NET_ADMIN]", { capabilities: { adds: ["NET_ADMIN"] } }],
    ["cap_drop: [ALL]", { capabilities: { drops: ["ALL"] } }],
    ["devices: ['/dev/net/tun']", { devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun" }] }],
    [
      "devices: ['/dev/a:/dev/b:r']",
      { devices: [{ hostPath: "/dev/a", containerPath: "/dev/b", permissions: "r" }] },
    ],
    ["security_opt: ['seccomp:unconfined']", { securityOpts: ["seccomp:unconfined"] }],
    ["network_mode: host", { networkMode: "host" }],
    ["dns: 192.0.2.1", { dns: ["192.0.2.1"] }],
    ["hostname: h", { hostname: "h" }],
    ["extra_hosts: ['db:192.0.2.1']", { hosts: [{ host: "db", ip: "192.0.2.1" }] }],
    ["extra_hosts: { db: 192.0.2.1 }", { hosts: [{ host: "db", ip: "192.0.2.1" }] }],
    ["labels: [a=b]", { labels: [{ label: "a", value: "b" }] }],
    ["labels: { a: 1 }", { labels: [{ label: "a", value: "1" }] }],
    ['command: run --host "a b"', { command: ["run", "--host", "a b"] }],
    ["command: [run, now]", { command: ["run", "now"] }],
    ["environment: [A=b=c]", { envs: ["A=b=c"] }],
    ["environment: { A: 1, B: true }", { envs: ["A=1", "B=true"] }],
    [
      "healthcheck: { test: 'nc -z db 5432 || exit 1' }",
      { healthcheck: { tests: ["CMD-SHELL", "nc -z db 5432 || exit 1"] } },
    ],
    ["healthcheck: { test: [CMD, x, $$Y] }", { healthcheck: { tests: ["CMD", "x", "$Y"] } }],
    ["healthcheck: { disable: true }", { healthcheck: { tests: ["NONE"] } }],
    ["networks: [back]", { networksAdvanced: [{ name: "back", aliases: [] }] }],
    ["networks: { back: { aliases: [db] } }", { networksAdvanced: [{ name: "back", aliases: ["db"] }] }],
    [
      "volumes: ['/var/run/docker.sock:/s:ro']",
      { volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/s", readOnly: true }] },
    ],
    ["volumes: ['~/.ssh:/k']", { volumes: [{ hostPath: "~/.ssh", containerPath: "/k" }] }],
    ["volumes: ['data:/d']", { volumes: [{ containerPath: "/d", readOnly: false }] }],
    [
      "volumes: [{ type: bind, source: /etc, target: /e, read_only: true }]",
      { volumes: [{ hostPath: "/etc", containerPath: "/e", readOnly: true }] },
    ],
    ["volumes: [{ type: tmpfs, target: /t }]", { restart: "no" }],
    ["volumes: ['${WHERE}:/d']", { volumes: [{ hostPath: UNKNOWN }] }],
  ])("%s", (line, inputs) => {
    const lines = line.startsWith("image:") ? `    ${line}` : `    image: a:1\n    ${line}`;
    const { container } = projectIn({ "compose.yml": `services:\n  a:\n${lines}\n` });
    expect(container("a").inputs).toMatchObject(inputs);
  });

  test.each([
    ["80", [{ internal: 80 }]],
    ["8080:80", [{ internal: 80, external: 8080 }]],
    ["127.0.0.1:8080:80", [{ internal: 80, external: 8080, ip: "127.0.0.1" }]],
    ["[::1]:8080:80/udp", [{ internal: 80, external: 8080, ip: "::1", protocol: "udp" }]],
    ["127.0.0.1::80", [{ internal: 80, ip: "127.0.0.1" }]],
    [
      "80-81:90-91",
      [
        { internal: 90, external: 80 },
        { internal: 91, external: 81 },
      ],
    ],
    ["${PORT:-25}:25", [{ internal: 25, external: 25 }]],
    ["${PORT}:25", [{ internal: UNKNOWN }]],
  ])("a port %s", (port, ports) => {
    expect(inputsOf(`    ports: ['${port}']`)["ports"]).toMatchObject(ports);
  });

  test("a port in the long form", () => {
    expect(
      inputsOf("    ports: [{ target: 80, published: '8080', host_ip: 192.0.2.1, protocol: udp }]")["ports"],
    ).toEqual([{ internal: 80, external: 8080, ip: "192.0.2.1", protocol: "udp" }]);
  });

  test("networks and volumes become resources, and nothing of Compose's is deleted by itself", () => {
    const { stacks } = projectIn({
      "compose.yml":
        "name: p\nservices: { a: { image: a } }\nnetworks: { n: { enable_ipv6: true }, x: { external: true } }\nvolumes: { v: , w: { name: own } }\n",
    });
    const made = stacks[0]?.resources
      .slice(1)
      .map(({ name, inputs, protect }) => ({ name, inputs, protect }));
    expect(made).toEqual([
      { name: "n", inputs: { name: "n", ipv6: true, internal: false }, protect: true },
      { name: "v", inputs: { name: "p_v" }, protect: true },
      { name: "w", inputs: { name: "own" }, protect: true },
    ]);
  });

  test("network_mode: service: joins that service's container by its id", () => {
    const { container } = projectIn({
      "compose.yml": "services:\n  a:\n    image: a\n    network_mode: service:b\n  b:\n    image: b\n",
    });
    const { inputs, dependencies } = container("a");
    expect(inputs["networkMode"]).toMatch(/^container:[0-9a-f]{64}$/);
    expect(dependencies).toEqual({ networkMode: [container("b").urn] });
  });
});

describe("a file that a service mounts", () => {
  const CADDY = "mail.example.org {\n\treverse_proxy 100.101.102.103:8080\n}\n";

  test.each([
    ["volumes: ['./Caddyfile:/etc/caddy/Caddyfile:ro']", "Caddyfile"],
    ["volumes: ['./conf:/etc/caddy']", "conf/Caddyfile"],
    ["volumes: [{ type: bind, source: ./Caddyfile, target: /etc/caddy/Caddyfile }]", "Caddyfile"],
  ])("by %s is read, and a finding is at its own line", async (lines, file) => {
    const result = await checkFiles({
      "compose.yml": `services:\n  a:\n    image: caddy:2\n    ${lines}\n`,
      [file]: CADDY,
    });
    expect(placesOf(result, "no-hardcoded-tailnet-ip")).toEqual([`${file}:2`]);
  });

  test("by configs is read, from a file or where it stands", async () => {
    const result = await checkFiles({
      "compose.yml": `services:\n  a:\n    image: caddy:2\n    configs: [{ source: c, target: /etc/caddy/Caddyfile }, d]\nconfigs:\n  c: { file: ./Caddyfile }\n  d:\n    content: |\n      DB=100.101.102.104\n`,
      Caddyfile: CADDY,
    });
    expect(placesOf(result, "no-hardcoded-tailnet-ip")).toEqual(["Caddyfile:2", "compose.yml:9"]);
  });

  test("and that is not there is not judged", async () => {
    const { notJudged } = await checkFiles({
      "compose.yml":
        "services:\n  a:\n    image: caddy:2\n    volumes: ['./Caddyfile:/etc/caddy/Caddyfile']\n",
    });
    expect(notJudged).toContainEqual(
      expect.objectContaining({ line: 4, because: expect.stringContaining("./Caddyfile is not there") }),
    );
  });
});

describe("who is who", () => {
  const tailscale = "    image: tailscale/tailscale\n    environment: { TS_AUTHKEY: '${K}' }\n";
  const rolesIn = (text: string) =>
    projectIn({ "compose.yml": text }).stacks.flatMap(({ resources }) =>
      resources.flatMap(({ name, inputs }) =>
        ((inputs["labels"] ?? []) as { label: string; value: string }[])
          .filter(({ label }) => label === "tailwart.role")
          .map(({ value }) => `${name}=${value}`),
      ),
    );

  test("Stalwart in the namespace of a node of the tailnet is judged with its sidecar", () => {
    const text = `services:\n  ts:\n${tailscale}  mail:\n    image: stalwartlabs/stalwart:v0.15.5\n    network_mode: service:ts\n`;
    expect(rolesIn(text)).toEqual(["ts=sidecar", "mail=stalwart"]);
  });

  test("with a namespace that both join, the one that holds it is the anchor, and nothing is wrong with that", async () => {
    const join = "    network_mode: service:net\n    restart: always\n";
    const text = `services:\n  net:\n    image: pause:3\n    restart: always\n  ts:\n${tailscale}${join}    healthcheck: { test: wget -qO- http://127.0.0.1:9002/healthz && nc -z db.t.ts.net 5432 }\n  mail:\n    image: ghcr.io/stalwartlabs/stalwart\n${join}`;
    expect(rolesIn(text)).toEqual(["net=anchor", "ts=sidecar", "mail=stalwart"]);
    const result = await checkFiles({ "compose.yml": text });
    expect(placesOf(result, "stalwart-shares-anchor")).toEqual([]);
    expect(placesOf(result, "sidecar-waits-for-postgres")).toEqual([]);
  });

  test.each([
    ["image: ghcr.io/stalwartlabs/stalwart:v0.16.1@sha256:00", true],
    ["image: stalwartlabs/mail-server", true],
    ["image: registry.example.org:5000/own/tailwart-stalwart:3", true],
    ["build: ./stalwart", true],
    ["image: stalwartlabs/stalwart-cli:1", false],
    ["image: example/mail-server:1", false],
    ["image: example/stalwart-exporter", false],
  ])("Stalwart is told by %s: %s", (line, isStalwart) => {
    const text = `services:\n  ts:\n${tailscale}  stalwart:\n    ${line}\n    network_mode: service:ts\n`;
    expect(rolesIn(text)).toEqual(isStalwart ? ["ts=sidecar", "stalwart=stalwart"] : []);
  });

  test("without Stalwart a sidecar is a server like any other", () => {
    expect(
      rolesIn(`services:\n  ts:\n${tailscale}  web:\n    image: nginx\n    network_mode: service:ts\n`),
    ).toEqual([]);
  });

  test("Stalwart without a tailnet is a server like any other", () => {
    expect(rolesIn("services:\n  mail:\n    image: stalwartlabs/stalwart\n    ports: ['25:25']\n")).toEqual(
      [],
    );
  });
});
