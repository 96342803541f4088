import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRawProgram, type RawProgram } from "./raw-program.ts";
import { startUnbound, type Unbound } from "./unbound.ts";

let raw: RawProgram;
let dns: Unbound;
let ask: object;

beforeAll(async () => {
  dns = await startUnbound("example.test.", [
    "v4.example.test. IN A 203.0.113.25",
    "dual.example.test. IN A 203.0.113.26",
    "dual.example.test. IN AAAA 2001:db8::26",
  ]);
  ask = { "relay-target-ipv4-only": { resolver: dns.address, timeoutMs: 3000 } };
  raw = await makeRawProgram();
});
afterAll(async () => {
  raw?.remove();
  await dns?.stop();
});

const caddy = {
  apps: {
    layer4: {
      servers: {
        mail: {
          listen: [":25"],
          routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: ["100.101.102.103:25"] }] }] }],
        },
      },
    },
  },
};
const labels = (role: string): string => `labels: [{ label: "tailwart.role", value: "${role}" }]`;
const GOOD_TEST =
  '["CMD-SHELL", "wget -qO- http://127.0.0.1:9002/healthz && nc -z -w 3 the-record-prod 5432"]';

describe("a raw program fails its preview through the pack", () => {
  test.each([
    ["in an env", 'container("app", { envs: ["LANG=C", "DB_HOST=100.101.102.103"] })', "envs (DB_HOST)"],
    [
      "in an uploaded Caddy JSON",
      `container("edge", { uploads: [{ file: "/etc/caddy/caddy.json", content: ${JSON.stringify(JSON.stringify(caddy))} }] })`,
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail.routes[0].handle[0].upstreams[0].dial[0]",
    ],
    ["as relay", 'container("mail", { envs: ["RELAY_HOST=100.101.102.103:587"] })', "envs (RELAY_HOST)"],
  ])("with 100.101.102.103 %s", async (_, program, where) => {
    const { code, output } = await raw.preview(program);
    expect(output).toContain("[mandatory]");
    expect(output).toContain("no-hardcoded-tailnet-ip");
    expect(output).toContain(`${where} holds 100.101.102.103, the address of one tailnet node`);
    expect(output).toMatch(/why: .*changes when it registers again/);
    expect(output).toMatch(/instead: .*MagicDNS name/);
    expect(code).not.toBe(0);
  });

  test("with a relay that has an AAAA record", async () => {
    const { code, output } = await raw.preview(
      'container("mail", { envs: ["SMARTHOST=dual.example.test:587"] })',
      ask,
    );
    expect(output).toContain("relay-target-ipv4-only");
    expect(output).toContain(
      `envs (SMARTHOST) relays to dual.example.test, which has an AAAA record (2001:db8::26, says ${dns.address})`,
    );
    expect(output).toMatch(/why: .*no IPv6/);
    expect(output).toMatch(/instead: .*MagicDNS name/);
    expect(code).not.toBe(0);
  });

  test("with a sidecar that does not wait for Postgres", async () => {
    const program = `container("ts", { ${labels("sidecar")}, healthcheck: { tests: ["CMD-SHELL", "wget -qO- http://127.0.0.1:9002/healthz"] } })`;
    const { code, output } = await raw.preview(program);
    expect(output).toContain("sidecar-waits-for-postgres");
    expect(output).toContain("healthcheck.tests can succeed while the data store is not reachable");
    expect(code).not.toBe(0);
  });

  test("with a sidecar that waits for another host than Stalwart's data store, seen over the stack", async () => {
    const program = `
      container("ts", { ${labels("sidecar")}, healthcheck: { tests: ${GOOD_TEST} } });
      container("stalwart", { ${labels("stalwart")}, envs: ["TAILWART_POSTGRES_HOST=other-db", "TAILWART_POSTGRES_PORT=5432"] });`;
    const { code, output } = await raw.preview(program);
    expect(output).toContain("requires the-record-prod:5432, while the data store is other-db:5432");
    expect(code).not.toBe(0);
  });

  test("with an address beside values that are unknown at preview, without repeating a secret", async () => {
    const program = `
      const password = new random.RandomPassword("password", { length: 20 });
      container("app", { envs: [password.result, pulumi.secret("URL=postgres://app:opensesame@100.101.102.103/app")] });`;
    const { code, output } = await raw.preview(program);
    expect(output).toContain("envs (URL) holds 100.101.102.103");
    expect(output).toMatch(/envs\[[01]\]: unknown until the update/);
    expect(output).not.toContain("opensesame");
    expect(output).not.toContain("can't run policy");
    expect(code).not.toBe(0);
  });
});

describe("a compliant raw program", () => {
  const program = `
    const anchor = container("anchor", { ${labels("anchor")}, restart: "always", user: "65534" });
    const all = { capabilities: { drops: ["ALL"] } };
    const joined = { ...all, restart: "always", networkMode: pulumi.interpolate\`container:\${anchor.id}\` };
    container("ts", { ...joined, ${labels("sidecar")}, healthcheck: { tests: ${GOOD_TEST} } });
    container("stalwart", { ...joined, ${labels("stalwart")}, envs: ["TAILWART_POSTGRES_HOST=the-record-prod", "TAILWART_POSTGRES_PORT=5432", "RELAY_HOST=v4.example.test:587", "TRUST=100.64.0.0/10"] });`;

  test("passes its preview, and nothing is left unjudged when a resolver is configured", async () => {
    const { code, output } = await raw.preview(program, ask);
    expect(output).toMatch(/docker:index:Container stalwart create/);
    expect(output).toContain("tailwart@v0.1.0");
    expect(output).not.toMatch(/\[mandatory\]|\[advisory\]|Not judged/);
    expect(code).toBe(0);
  });

  test("passes without a resolver too, and the relay's name is listed as not judged", async () => {
    const { code, output } = await raw.preview(program);
    expect(output).toContain("[advisory]");
    expect(output).toMatch(/Not judged:\s+envs \(RELAY_HOST\) v4\.example\.test: no resolver is configured/);
    expect(code).toBe(0);
  });
});

describe("a wrong policy config is refused with the key's path", () => {
  test.each([
    [{ "relay-target-ipv4-only": { resolver: 53 } }, /relay-target-ipv4-only: resolver/],
    [
      { "relay-target-ipv4-only": { resolver: "dns.example.test" } },
      /relay-target-ipv4-only\.resolver accepts an address/,
    ],
    [
      { "relay-target-ipv4-only": { resolvers: [] } },
      /relay-target-ipv4-only\.resolvers is no key of this policy/,
    ],
  ])("%j", async (config, message) => {
    const { code, output } = await raw.preview(
      'container("app", { envs: ["RELAY_HOST=v4.example.test"] })',
      config,
    );
    expect(output).toMatch(message);
    expect(output).not.toMatch(/\n\s+at .*\.ts:/);
    expect(code).not.toBe(0);
  });
});
