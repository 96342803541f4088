import { describe, expect, test } from "vitest";
import { edgeSendsProxyProtocol } from "../../policies/rules/edge-sends-proxy-protocol.ts";
import { noHardcodedTailnetIp } from "../../policies/rules/no-hardcoded-tailnet-ip.ts";
import { relayTargetIpv4Only } from "../../policies/rules/relay-target-ipv4-only.ts";
import { secretsNotInPlainSight } from "../../policies/rules/secrets-not-in-plain-sight.ts";
import { archiveOf, PASSED, runPolicy, secret, textAsset } from "./harness.ts";
import { headsOf as heads, resource } from "./resources.ts";

/** A file whose text the program holds and copies to a host. */
const copy = (remotePath: string, source: unknown) =>
  resource("command:remote:CopyToRemote", "file", {
    connection: { host: "edge.example.org" },
    remotePath,
    source,
  });
const CADDYFILE =
  "{\n\tlayer4 {\n\t\t:25 {\n\t\t\troute {\n\t\t\t\tproxy 100.101.102.103:25\n\t\t\t}\n\t\t}\n\t}\n}\n";
const PASSWORD = "Vq7nR2xLw9Kd";
const ENV = `DB_HOST=db\nDB_PASSWORD=${PASSWORD}\n`;

describe("a text asset is read as a file is:", () => {
  test("a Caddyfile, by name and line", async () => {
    const caddyfile = copy("/etc/caddy/Caddyfile", textAsset(CADDYFILE));
    expect(heads((await runPolicy(edgeSendsProxyProtocol, caddyfile)).violations)).toEqual([
      expect.stringContaining("source (/etc/caddy/Caddyfile) line "),
    ]);
    expect(heads((await runPolicy(noHardcodedTailnetIp, caddyfile)).violations)).toEqual([
      expect.stringMatching(/^source \(\/etc\/caddy\/Caddyfile\) line 5 holds 100\.101\.102\.103, /),
    ]);
  });

  test("Caddy's JSON", async () => {
    const server = {
      listen: [":25"],
      routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: ["mx:25"] }] }] }],
    };
    const json = copy(
      "/etc/caddy/caddy.json",
      textAsset(JSON.stringify({ apps: { layer4: { servers: { s: server } } } })),
    );
    expect((await runPolicy(edgeSendsProxyProtocol, json)).violations).toHaveLength(1);
  });

  test("variables in a file", async () => {
    expect(
      heads((await runPolicy(secretsNotInPlainSight, copy("/opt/app/.env", textAsset(ENV)))).violations),
    ).toEqual(["source (/opt/app/.env) gives DB_PASSWORD as plain text."]);
  });

  test("a secret alone in its file", async () => {
    const token = copy("/opt/app/secrets/token", textAsset(PASSWORD));
    expect((await runPolicy(secretsNotInPlainSight, token)).violations).toHaveLength(1);
  });

  test("a mail program's config", async () => {
    const relay = copy(
      "/etc/postfix/main.cf",
      textAsset("relayhost = [2001:db8:25::10]:587\nmyhostname = a\n"),
    );
    expect(heads((await runPolicy(relayTargetIpv4Only, relay)).violations)).toEqual([
      expect.stringContaining("relays to 2001:db8:25::10, an IPv6 address"),
    ]);
  });

  test("each of an archive's", async () => {
    const folder = copy(
      "/opt/app",
      archiveOf({ ".env": textAsset(ENV), inner: archiveOf({ hosts: textAsset("100.101.102.103 db\n") }) }),
    );
    expect((await runPolicy(secretsNotInPlainSight, folder)).violations).toHaveLength(1);
    expect((await runPolicy(noHardcodedTailnetIp, folder)).violations).toHaveLength(1);
  });
});

describe("a text asset is silent where", () => {
  test("it is a secret of the stack", async () => {
    expect(await runPolicy(secretsNotInPlainSight, copy("/opt/app/.env", secret(textAsset(ENV))))).toEqual(
      PASSED,
    );
  });

  test("it names hosts and says PROXY", async () => {
    const fine = CADDYFILE.replace(
      "100.101.102.103:25",
      "{\n\t\t\t\t\tproxy_protocol v2\n\t\t\t\t\tupstream stalwart.tail1.ts.net:25\n\t\t\t\t}",
    );
    const caddyfile = copy("/etc/caddy/Caddyfile", textAsset(fine));
    for (const policy of [edgeSendsProxyProtocol, noHardcodedTailnetIp, secretsNotInPlainSight])
      expect((await runPolicy(policy, caddyfile)).violations).toEqual([]);
  });
});

test("a file that is only read at deploy is listed as not judged", async () => {
  const file = {
    type: "command:remote:CopyToRemote",
    props: {
      remotePath: "/etc/caddy/Caddyfile",
      source: { ...textAsset(""), text: undefined, path: "./Caddyfile" },
    },
  };
  expect(await runPolicy(noHardcodedTailnetIp, file)).toEqual({
    violations: [],
    notJudged: ["source: an asset, whose content is only read at deploy"],
  });
});
