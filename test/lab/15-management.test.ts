// Management is for the admin listener alone (decision 19): seen from the machine outside, through
// the edge, and over the tailnet.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { accountPassword } from "../../cli/parts/mail-round-trip.ts";
import { fetchMessage, send } from "../../lab/mail/outside.ts";
import { runInNetns } from "../../lab/run.ts";
import { getPolicy, setPolicy } from "../../lab/tailnet/index.ts";
import { mustPulumi } from "../../cli/parts/pulumi-cli.ts";
import { isRegistry } from "./hands.ts";
import { eventually, facts, lab, layout, stack, tailnetAddress } from "./lab.ts";

interface Login {
  user: string;
  pass: string;
}

const admin: Login = { user: "admin", pass: "" };
const alice: Login = { user: "alice", pass: "" };
const policy = await getPolicy(layout.tailnet);

/** Body and status of a request; the login stands in curl's config, not in argv. */
async function ask(
  from: keyof typeof layout.machines,
  url: string,
  login: Login,
  ...args: string[]
): Promise<string> {
  const curl = ["curl", "-sS", "-k", "--max-time", "15", "-K", "-", "-w", "\n%{http_code}", ...args, url];
  // In the machine's network and not in its files: a Docker host has no curl.
  const { stdout } = await runInNetns(layout.machines[from].netns, curl, {
    stdin: `user = "${login.user}:${login.pass}"\n`,
    timeout: 20_000,
  });
  return stdout;
}

const throughEdge = (path: string, login = alice, name = facts.mailHost) =>
  ask("outside", `https://${name}${path}`, login, "--resolve", `${name}:443:${facts.wanAddress}`);
const overTailnet = (path: string, login = alice) =>
  ask("edge", `http://${tailnetAddress()}:8080${path}`, login);
const statusOf = (answer: string) => answer.slice(answer.lastIndexOf("\n") + 1);

beforeAll(async () => {
  alice.pass = await accountPassword(lab, "alice");
  const output = ["stack", "output", "adminPassword", "--show-secrets", "--stack", stack.name];
  admin.pass = (await mustPulumi(stack, output)).stdout.trim();
  // No operator's machine is on the lab's tailnet: for this file the edge's is one.
  const grant = '{ "src": ["tag:reverse-proxy"], "dst": ["tag:stalwart"], "ip": ["tcp:8080"] },';
  await setPolicy(
    layout.tailnet,
    policy.replace(/"grants":\s*\[/, (start) => `${start} ${grant}`),
  );
  await eventually("the admin listener answers", 20, async () =>
    /[1-5]\d\d$/.test(await overTailnet("/robots.txt")),
  );
}, 60_000);

afterAll(() => setPolicy(layout.tailnet, policy));

describe("through the edge", () => {
  test.each([
    "/api/settings/list",
    "/api/principal",
    "/api/oauth",
    "/api/account/auth",
    "/api/schema",
    "/admin/",
    "/login",
    "/account/",
    "/metrics/prometheus",
    "/healthz/live",
    "/",
  ])("%s is 404, also for the administrator", async (path) => {
    expect(statusOf(await throughEdge(path, admin))).toBe("404");
    expect(statusOf(await throughEdge(path, admin, `mta-sts.${facts.mailDomain}`))).toBe("404");
  });

  test("the MTA-STS policy names the MX host, and not the domain", async () => {
    const answer = await throughEdge("/.well-known/mta-sts.txt", alice, `mta-sts.${facts.mailDomain}`);
    expect(statusOf(answer)).toBe("200");
    expect([...answer.matchAll(/^mx: (.*?)\r?$/gm)].map(([, mx]) => mx)).toEqual([facts.mailHost]);
  });

  test.each([
    "/mail/config-v1.1.xml?emailaddress=alice@lab.test",
    "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=alice@lab.test",
    "/.well-known/oauth-authorization-server",
    "/auth/jwks.json",
    "/robots.txt",
  ])("%s is there for mail programs", async (path) => {
    expect(statusOf(await throughEdge(path))).toBe("200");
  });

  // The server that the lab builds has neither of the two; an official one has both.
  test.each(["/jmap/session", "/.well-known/jmap", "/dav/cal/alice/", "/dav/card/alice/"])(
    "%s of an account is what it is on the admin listener",
    async (path) => {
      expect(statusOf(await throughEdge(path))).toBe(statusOf(await overTailnet(path)));
    },
  );

  test.each([
    [465, true],
    [587, false],
  ])("the administrator's password is refused on port %i", async (port, secure) => {
    const from = `admin@${facts.mailDomain}`;
    const order = { host: facts.mailHost, port, secure, from, to: "a@outside.test", subject: "x", body: "x" };
    // From 0.16 on the server hangs up on an account that may not log in from there
    // (smtp/src/inbound/auth.rs).
    const refusal = isRegistry ? /closed unexpectedly/ : /5[35][05] |Invalid login|AUTH/;
    await expect(send(layout, { ...order, auth: admin })).rejects.toThrow(refusal);
  });

  test("the administrator's password is refused on port 993", async () => {
    const order = { host: facts.mailHost, port: 993, ...admin, subject: "x", within: 1 };
    await expect(fetchMessage(layout, order)).rejects.toThrow();
  });

  test("alice's is taken there", async () => {
    const order = { host: facts.mailHost, port: 993, ...alice, subject: "none such", within: 0 };
    await expect(fetchMessage(layout, order)).rejects.toThrow(/no message with that subject/);
  });
});

test("over the tailnet the administrator's password opens the API", async () => {
  const path = isRegistry ? "/jmap/session" : "/api/settings/keys?keys=server.hostname";
  expect(statusOf(await overTailnet(path, admin))).toBe("200");
  expect(statusOf(await overTailnet(path, { ...admin, pass: "wrong" }))).toBe("401");
});
