// The DNS key is tried (lesson 2) at a real DNS server, Knot, through the pipe that reaches one
// from beside Stalwart.
import { connect } from "node:net";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type DnsKeyTrial, tryDnsKey } from "../../verify/dns-key.ts";
import { Knot, KNOT_KEY } from "./knot.ts";
import { freePort } from "./stalwart-server.ts";

const NAME = "_acme-challenge.lab.test";
const SECRET = KNOT_KEY.secret;
let knot: Knot;

beforeAll(async () => {
  knot = await Knot.start({ "lab.test": "" }, { owner: NAME, reader: "reads" });
});
afterAll(() => knot.stop());

/** Tries a key; what was said, and what is left in the zone. */
async function tried(more: Partial<DnsKeyTrial> = {}) {
  const trial: DnsKeyTrial = {
    ...{ host: "127.0.0.1", port: knot.port, protocol: "udp", keyName: KNOT_KEY.name },
    algorithm: KNOT_KEY.algorithm,
    ...{ names: [NAME], secret: SECRET, ...more },
  };
  let [said, error] = ["", ""];
  try {
    said = await tryDnsKey(() => connect(trial.port, trial.host), trial);
  } catch (refusal) {
    error = String(refusal);
  }
  return { said, error, left: await knot.texts(NAME) };
}

describe("a DNS key", () => {
  test("that is good writes, reads and deletes, and leaves nothing behind", async () => {
    const { said, error, left } = await tried();
    expect(error).toBe("");
    expect(said).toBe(`the DNS key "writes" writes and deletes at ${knot.address}: ${NAME}`);
    expect(left).toEqual([]);
  });

  test.each([
    ["with another secret", { secret: Buffer.alloc(32, "dead").toString("base64") }, /BADSIG/],
    ["that the server does not know", { keyName: "stranger" }, /BADKEY/],
    ["that may not write", { keyName: "reads" }, /may write there \(BADKEY\)/],
    ["for another name than it may write", { names: ["_acme-challenge.x.lab.test"] }, /BADKEY/],
    ["for a zone that is elsewhere", { names: ["_acme-challenge.other.test"] }, /no zone/],
  ])("%s is refused, with the server's answer and what to do", async (_what, more, says) => {
    const { error, left } = await tried(more);
    expect(error).toMatch(says);
    expect(error).toContain("(lesson 2); Stalwart is left as it was");
    expect(error).toContain("pulumi config set --secret tailwart:dnsSecret");
    expect(error).not.toContain(SECRET);
    expect(left).toEqual([]);
  });

  test("of a server that is not there is refused where updates go by TCP, and told of where they do not", async () => {
    const nobody = await freePort();
    expect((await tried({ port: nobody, protocol: "tcp" })).error).toMatch(/does not answer over TCP/);
    const { error, said } = await tried({ port: nobody, protocol: "udp" });
    expect(error).toBe("");
    expect(said).toMatch(/does not answer over TCP.*whether its key "writes" can write is not known/);
  });
});
