import { describe, expect, test } from "vitest";

import { checkFiles, placesOf, told } from "./folder.ts";

const ADDRESS = "no-hardcoded-tailnet-ip";
const NODE = "100.101.102.103";

describe("Caddy's config", () => {
  test("as a Caddyfile that no service mounts is judged by itself", async () => {
    const result = await checkFiles({
      "edge/Caddyfile": `mail.example.org {\n\t# x\n\treverse_proxy ${NODE}:8080\n}\n`,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["edge/Caddyfile:3"]);
  });

  test("as caddy.json is told by what it says, at its line", async () => {
    const text = `{\n  "apps": {\n    "http": {\n      "servers": { "s": {\n        "listen": [":443"],\n        "routes": [{ "handle": [{ "handler": "reverse_proxy",\n          "upstreams": [{ "dial": "${NODE}:8080" }] }] }] } }\n    }\n  }\n}\n`;
    expect(placesOf(await checkFiles({ "edge.json": text }), ADDRESS)).toEqual(["edge.json:7"]);
  });

  test("that passes mail through and ends TLS for the same name is refused at its line", async () => {
    const text = `{
	servers :443 {
		listener_wrappers {
			layer4 {
				@mail tls sni mail.example.org
				route @mail {
					proxy stalwart.tail7b1641.ts.net:443
				}
			}
			tls
		}
	}
}

mail.example.org {
	reverse_proxy stalwart.tail7b1641.ts.net:8080
}
`;
    expect(placesOf(await checkFiles({ Caddyfile: text }), "stalwart-tls-not-terminated")).toEqual([
      "Caddyfile:15",
    ]);
  });
});

describe("the tailnet's policy file", () => {
  test("is judged by itself, at the line of the rule", async () => {
    const text = `// all\n{\n  "hosts": { "box": "${NODE}" },\n  "acls": [\n    {"action": "accept", "src": ["*"], "dst": ["*:*"]},\n  ],\n}\n`;
    const { findings } = await checkFiles({ "policy.hujson": text });
    expect(findings.map(told)).toContain(`policy.hujson:5 tailnet-policy-not-reset`);
    expect(findings.map(told)).toContain(`policy.hujson:3 ${ADDRESS}`);
  });

  const COMPOSE = `services:\n  ts:\n    image: tailscale/tailscale\n    environment:\n      TS_EXTRA_ARGS: --advertise-tags=tag:app\n      RELAYHOST: "[mailbox.tail0f3a9.ts.net]:587"\n`;
  const CLOSED = `{ "tagOwners": { "tag:app": [] }, "grants": [ { "src": ["tag:x"], "dst": ["tag:app"], "ip": ["*"] } ] }\n`;
  const FLOWS = "tailnet-flows-granted";

  test.each(["policy.hujson", "tailnet/policy.hujson", "a/b/acl.json"])(
    "at %s decides what a project beside or below may reach",
    async (file) => {
      const result = await checkFiles({ "app/compose.yml": COMPOSE, [file]: CLOSED });
      expect(placesOf(result, FLOWS)).toEqual(["app/compose.yml:6"]);
    },
  );

  test("of another project's folder decides nothing here", async () => {
    const result = await checkFiles({
      "app/compose.yml": COMPOSE,
      "other/compose.yml": "services:\n  a:\n    image: a\n",
      "other/policy.hujson": CLOSED,
    });
    expect(placesOf(result, FLOWS)).toEqual([]);
  });

  test("that no JSON can be read of is not passed over", async () => {
    const result = await checkFiles({ "app/compose.yml": COMPOSE, "policy.hujson": `{ "grants": [ }` });
    expect(result.notJudged).toContainEqual(
      expect.objectContaining({ file: "policy.hujson", because: expect.stringContaining("HuJSON") }),
    );
  });
});

describe("Stalwart's config.toml", () => {
  const TOML = `[server.listener.smtp]
bind = "0.0.0.0:25"
protocol = "smtp"

[queue.strategy]
route = [
  { if = "is_local_domain('', rcpt_domain)", then = "'local'" },
  { else = "'relais'" },
]

[queue.route."relay"]
type = "relay"
address = "${NODE}"
`;

  test("is judged as settings, at the lines of its keys", async () => {
    const { findings } = await checkFiles({ "config.toml": TOML });
    expect(findings.map(told)).toEqual(["config.toml:6 relay-route-exists", `config.toml:13 ${ADDRESS}`]);
  });

  test("lacks nothing that may be in the server's database", async () => {
    const text =
      '[server]\nhostname = "mail.example.org"\n\n[storage]\ndata = "rocksdb"\n\n[server.proxy]\ntrusted-networks = ["10.0.0.0/8"]\n';
    const { findings, notJudged } = await checkFiles({ "config.toml": text });
    expect(findings).toEqual([]);
    expect(notJudged).toContainEqual(
      expect.objectContaining({ because: expect.stringContaining("database") }),
    );
  });

  test("that a service mounts is told once", async () => {
    const result = await checkFiles({
      "compose.yml":
        "services:\n  mail:\n    image: stalwartlabs/stalwart\n    volumes: ['./config.toml:/opt/stalwart/etc/config.toml']\n",
      "config.toml": TOML,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["config.toml:13"]);
    expect(placesOf(result, "relay-route-exists")).toEqual(["config.toml:6"]);
  });

  test("of another program is not taken for it", async () => {
    await expect(checkFiles({ "Cargo.toml": '[package]\nname = "x"\n' })).rejects.toThrow("nothing to judge");
  });

  test("that is no TOML is an error with its line", async () => {
    const { problems } = await checkFiles({ "config.toml": "[server.listener.smtp]\nbind = \n" });
    expect(problems).toMatchObject([
      { file: "config.toml", line: 2, message: expect.stringMatching(/^no TOML/) },
    ]);
  });
});

describe("a plan of stalwart-cli's", () => {
  const PLAN = `# routes
{"@type":"upsert","object":"MtaRoute","matchOn":["name"],"value":{"relay":{"@type":"Relay","name":"relay","address":"${NODE}","port":587}}}

{"@type":"create","object":"MtaRoute","value":{"mx":{"@type":"Mx","name":"mx","ipLookupStrategy":"v6Only"}}}
{"@type":"update","object":"MtaOutboundStrategy","value":{"route":{"else":"'relay'"}}}
`;

  test("is judged at the line of the operation", async () => {
    const { findings } = await checkFiles({ "plan.ndjson": PLAN });
    expect(findings.map(told)).toEqual([`plan.ndjson:2 ${ADDRESS}`]);
    expect(findings[0]?.where).toBe("MtaRoute/relay.address");
  });

  test("beside a sidecar without IPv6 counts on none", async () => {
    const compose =
      "services:\n  ts:\n    image: tailscale/tailscale\n  mail:\n    image: stalwartlabs/stalwart\n    network_mode: service:ts\n";
    const result = await checkFiles({ "compose.yml": compose, "plan.ndjson": PLAN });
    expect(placesOf(result, "no-container-ipv6-assumed")).toEqual(["plan.ndjson:4"]);
  });

  test("names relays, which a grant has to open, and which IPv6 must not lead to", async () => {
    const compose =
      "services:\n  ts:\n    image: tailscale/tailscale\n    environment: { TS_EXTRA_ARGS: --advertise-tags=tag:stalwart }\n  mail:\n    image: stalwartlabs/stalwart\n    network_mode: service:ts\n";
    const policy = '{ "grants": [ { "src": ["tag:edge"], "dst": ["tag:stalwart"], "ip": ["tcp:25"] } ] }\n';
    const plan = (address: string) =>
      `{"@type":"create","object":"MtaRoute","value":{"r":{"@type":"Relay","name":"r","address":"${address}","port":587}}}\n`;
    const files = { "compose.yml": compose, "policy.hujson": policy };
    const granted = await checkFiles({ ...files, "plan.ndjson": plan("mailbox.tail0f3a9.ts.net") });
    expect(placesOf(granted, "tailnet-flows-granted")).toEqual(["plan.ndjson:1"]);
    const six = await checkFiles({ ...files, "plan.ndjson": plan("2001:db8::25") });
    expect(placesOf(six, "relay-target-ipv4-only")).toEqual(["plan.ndjson:1"]);
  });

  test("with a line that is no JSON is an error there", async () => {
    const { problems } = await checkFiles({ "plan.ndjson": `${PLAN}{"@type":\n` });
    expect(problems).toMatchObject([{ file: "plan.ndjson", line: 6 }]);
  });
});

describe("a state export", () => {
  const SECRET = "4dabf18193072939515e22adb298388d";
  const stateWith = (envs: unknown[], more: object = {}) =>
    JSON.stringify(
      {
        version: 3,
        deployment: {
          manifest: {},
          resources: [
            { urn: "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod", type: "pulumi:pulumi:Stack" },
            {
              urn: "urn:pulumi:prod::shop::docker:index/container:Container::db",
              custom: true,
              type: "docker:index/container:Container",
              inputs: { image: `db@sha256:${"0".repeat(64)}`, envs },
              outputs: {},
              ...more,
            },
          ],
        },
      },
      null,
      2,
    );

  test("is judged by what its resources were made of, at the resource's line", async () => {
    const result = await checkFiles({ "prod.json": stateWith([`RELAY=${NODE}`]) });
    expect(result.findings.map(told)).toEqual([`prod.json:10 ${ADDRESS}`]);
    expect(result.findings[0]?.where).toBe("db envs (RELAY)");
  });

  test("tells nothing of its secrets, and takes encrypted ones for unknown", async () => {
    const sig = "1b47061264138c4ac30d75fd1eb44270";
    const shown = await checkFiles({
      "prod.json": stateWith([{ [SECRET]: sig, plaintext: '"DB_PASSWORD=kR7w0qZ2mXcT"' }]),
    });
    expect(shown.findings).toEqual([]);
    const encrypted = await checkFiles({ "prod.json": stateWith([{ [SECRET]: sig, ciphertext: "v1:x" }]) });
    expect(encrypted.findings).toEqual([]);
    const open = await checkFiles({ "prod.json": stateWith(["DB_PASSWORD=kR7w0qZ2mXcT"]) });
    expect(placesOf(open, "secrets-not-in-plain-sight")).toEqual(["prod.json:10"]);
  });

  test("leaves out what only waits to be deleted", async () => {
    const { findings } = await checkFiles({ "prod.json": stateWith([`RELAY=${NODE}`], { delete: true }) });
    expect(findings).toEqual([]);
  });
});
