import { beforeAll, describe, expect, test } from "vitest";

import { issuingRoot } from "../../lab/acme.ts";
import { runIn } from "../../lab/machine.ts";
import { inspectTls } from "../../lab/mail/outside.ts";
import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { container, docker, eventually, facts, layout } from "./lab.ts";

const at = { host: facts.wanAddress, port: 443 };

/**
 * Sends bytes to the edge's :443 and returns what came back and after how many seconds the edge
 * closed.
 */
async function closing(bytes: string): Promise<{ seconds: number; answer: string }> {
  const start = Date.now();
  const script = `exec 3<>/dev/tcp/${facts.wanAddress}/443; printf '${bytes}' >&3; timeout 10 cat <&3 | od -An -tx1`;
  const { stdout } = await runIn(layout.machines.outside, ["bash", "-c", script], {
    allowFailure: true,
    timeout: 15_000,
  });
  return { seconds: (Date.now() - start) / 1000, answer: stdout };
}

/** How many connections Stalwart's :443 listener has logged. */
function stalwartConnections(since: string): string[] {
  return docker("kvm", "logs", "--since", since, container("stalwart"))
    .split("\n")
    .filter((line) => /https/.test(line) && /network\.connection|Connection|tls/i.test(line));
}

describe("on :443 a client sees", () => {
  let ca: string;

  // `up` does not wait for the CA.
  beforeAll(async () => {
    ca = await issuingRoot(layout);
    const issued = async () =>
      (await inspectTls(layout, { ...at, servername: facts.mailHost, ca })).serialNumber !== "";
    await eventually("Stalwart's certificate is issued", 120, issued);
  }, 130_000);

  test.each(passthroughNames(facts.mailHost, [{ name: facts.mailDomain }]))(
    "Stalwart's certificate for %s",
    async (servername) => {
      const { subjectaltname } = await inspectTls(layout, { ...at, servername, ca });
      expect(subjectaltname).toBe(`DNS:*.${facts.mailDomain}`);
    },
  );

  test("Caddy's certificate for a site of the edge", async () => {
    const { issuer, subjectaltname } = await inspectTls(layout, { ...at, servername: facts.site });
    expect(JSON.stringify(issuer)).toMatch(/Caddy Local Authority/);
    expect(subjectaltname).toContain(facts.site);
  });
});

describe("what names nobody is closed within 5 s, and no byte of it reaches Stalwart", () => {
  test.each([
    ["an unknown name", "stranger.example"],
    ["no name", ""],
  ])("%s", async (_what, servername) => {
    const since = new Date().toISOString();
    const start = Date.now();
    await expect(inspectTls(layout, { ...at, servername })).rejects.toThrow();
    expect(Date.now() - start).toBeLessThan(5000);
    expect(stalwartConnections(since)).toEqual([]);
  });

  test("half a ClientHello", async () => {
    const since = new Date().toISOString();
    const { seconds } = await closing("\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03");
    expect(seconds).toBeLessThan(5);
    expect(stalwartConnections(since)).toEqual([]);
  });
});
