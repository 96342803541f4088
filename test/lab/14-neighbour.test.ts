// Another web server on the edge box: a second, real Caddy, as its owner would run it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { startDaemon, stopDaemon } from "../../lab/daemon.ts";
import { INSIDE, runIn } from "../../lab/machine.ts";
import { inspectTls } from "../../lab/mail/outside.ts";
import { toolPath } from "../../lab/programs.ts";
import { eventually, facts, layout, said, up } from "./lab.ts";

const { edge, outside } = layout.machines;
/** A name that only the other server answers. */
const SHOP = `shop.${facts.mailDomain}`;

const NEIGHBOUR = { machine: edge, name: "neighbour" };

/** Starts the other server; it answers with the address that it takes for the client's. */
async function startNeighbour(listen: string, wrappers: object[] = []): Promise<void> {
  const config = {
    admin: { disabled: true },
    apps: {
      pki: { certificate_authorities: { local: { install_trust: false } } },
      tls: {
        certificates: { automate: [SHOP] },
        automation: { policies: [{ issuers: [{ module: "internal" }] }] },
      },
      http: {
        servers: {
          shop: {
            listen: [listen],
            ...(wrappers.length > 0 && { listener_wrappers: [...wrappers, { wrapper: "tls" }] }),
            tls_connection_policies: [{}],
            automatic_https: { disable_redirects: true },
            routes: [{ handle: [{ handler: "static_response", body: "{http.request.remote.host}" }] }],
          },
        },
      },
    },
  };
  writeFileSync(join(edge.dir, "neighbour.json"), JSON.stringify(config));
  const home = `${INSIDE}/neighbour`;
  const count = (await listeners()).filter((address) => address === asShown(listen)).length;
  const command = [toolPath("caddy"), "run", "--config", `${INSIDE}/neighbour.json`];
  const env = { XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  await startDaemon({ ...NEIGHBOUR, command, env }, async () => {
    const now = (await listeners()).filter((address) => address === asShown(listen)).length;
    return now > count;
  });
}

const asShown = (listen: string) => (listen.startsWith(":") ? `*${listen}` : listen);

/** Addresses that somebody on the edge listens on, as ss writes them. */
async function listeners(): Promise<string[]> {
  const { stdout } = await runIn(edge, ["ss", "-Hlnt"]);
  return stdout.split("\n").map((line) => line.trim().split(/\s+/)[3] ?? "");
}

/** What a browser outside gets for a name. */
async function browse(name: string): Promise<string> {
  const where = ["--resolve", `${name}:443:${facts.wanAddress}`, `https://${name}/`];
  return (await runIn(outside, ["curl", "-sSk", "--max-time", "10", ...where], { timeout: 15_000 })).stdout;
}

afterEach(() => stopDaemon(NEIGHBOUR));
afterAll(async () => {
  const run = await up();
  expect(run.code, said(run)).toBe(0);
});

describe("a web server on a port of its own, named as its edge's fallback", () => {
  beforeAll(async () => {
    expect(await listeners(), "Caddy serves redirects for the edge's sites").toContain("*:80");
    const run = await up({ "tailwart:edges/0/fallback": { to: "127.0.0.1:8443", proxyProtocol: true } });
    expect(run.code, said(run)).toBe(0);
  });

  test("keeps its names, and sees the client's own address; the edge and Stalwart keep theirs", async () => {
    await startNeighbour("127.0.0.1:8443", [{ wrapper: "proxy_protocol", allow: ["127.0.0.0/8"] }]);
    // It makes its certificate after it has begun to listen.
    await eventually("the other server is seen from outside", 20, async () => (await browse(SHOP)) !== "");
    expect(await browse(SHOP)).toBe(outside.address);
    const at = { host: facts.wanAddress, port: 443 };
    const shown = async (servername: string) =>
      (await inspectTls(layout, { ...at, servername })).subjectaltname;
    expect(await shown(SHOP)).toBe(`DNS:${SHOP}`);
    expect(await shown(facts.site)).toContain(facts.site);
    expect(await shown(facts.mailHost)).not.toContain(SHOP);
  });

  test("has port 80 for itself", async () => {
    expect((await listeners()).filter((address) => address.endsWith(":80"))).toEqual([]);
  });
});

describe("a web server on the edge's own port", () => {
  test("gets connections of Stalwart's at random, and the next up says which process it is", async () => {
    await startNeighbour(":443");
    const handshake = `openssl s_client -connect ${facts.wanAddress}:443 -servername ${facts.mailHost} -brief`;
    const loop = `for n in $(seq 40); do timeout 5 ${handshake} </dev/null >/dev/null 2>&1 && echo Stalwart || echo neighbour; done`;
    const { stdout } = await runIn(outside, ["bash", "-c", loop], { timeout: 240_000 });
    // 2^-39 for either to get none of them.
    expect(stdout).toContain("Stalwart");
    expect(stdout).toContain("neighbour");

    const sites = [{ host: facts.site }, { host: `new.${facts.mailDomain}` }];
    const refused = await up({ "tailwart:edges/0/sites": sites });
    expect(refused.code).not.toBe(0);
    expect(said(refused)).toMatch(/tcp 443 of the edge is taken by caddy \(process \d+\)/);
    expect(said(refused)).toMatch(
      /share such a port with it at random, so nothing was changed.*fallback of this edge/,
    );
    expect(said(refused)).not.toMatch(/tcp (?:25|465|993) of the edge/);
    await stopDaemon(NEIGHBOUR);
    const mended = await up({ "tailwart:edges/0/sites": sites });
    expect(mended.code, said(mended)).toBe(0);
  });
});
