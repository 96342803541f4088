// What holds an image against the table of facts, on roots made by hand;
// test/lab/15-layouts.test.ts does it with built ones.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { differences } from "../../../lab/images/check.ts";
import { FACTS } from "../../../lab/images/facts.ts";
import type { ImageConfig } from "../../../lab/images/store.ts";

const facts = FACTS.sidecar;
let root: string;

function program(path: string, mode = 0o755): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), "");
  chmodSync(join(root, path), mode);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  rmSync(join(root, path), { force: true });
  symlinkSync(target, join(root, path));
}

/** A root that is as the table of the sidecar says. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tailwart-root-"));
  for (const path of facts.programs) program(path);
  for (const [path, target] of Object.entries(facts.links)) link(path, target);
});
afterEach(() => rmSync(root, { recursive: true }));

const found = (config: ImageConfig = facts.config) => differences(root, config, facts);

describe("an image and its table of facts", () => {
  test("agree where nothing is different", async () => {
    expect(await found()).toEqual([]);
  });

  test("a link through another link, and one into a linked folder, count by where they lead", async () => {
    link("/usr/sbin/iptables", "/usr/sbin/iptables-legacy");
    link("/usr/sbin/iptables-legacy", "xtables-legacy-multi");
    expect(await found()).toEqual([]);
  });

  test("a program that was added is told", async () => {
    program("/usr/bin/curl");
    program("/usr/local/bin/extra");
    expect(await found()).toEqual(["/usr/bin/curl is in it", "/usr/local/bin/extra is in it"]);
  });

  test("a program that is missing, or may not be run, is told", async () => {
    unlinkSync(join(root, "sbin/ip"));
    program("/usr/bin/getent", 0o644);
    expect(await found()).toEqual(["/usr/bin/getent is no program in it", "/sbin/ip is no program in it"]);
  });

  test("a link to the other family of the packet filter is told", async () => {
    link("/usr/sbin/iptables", "xtables-nft-multi");
    expect(await found()).toEqual([
      "/usr/sbin/iptables leads to /usr/sbin/xtables-nft-multi, not to /usr/sbin/xtables-legacy-multi",
    ]);
  });

  test("another user, a volume more and another start are told", async () => {
    const config = { ...facts.config, User: "1000", Volumes: { "/data": {} }, Cmd: ["sh"] };
    expect(await found(config)).toEqual([
      'User is "1000", not none',
      'Cmd is ["sh"], not ["/usr/local/bin/containerboot"]',
      'Volumes is {"/data":{}}, not none',
    ]);
  });

  test("a capability that is missing, and a user of another number, are told", async () => {
    program("/usr/local/bin/stalwart");
    const stalwart = FACTS["stalwart-0.16"];
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/passwd"), "stalwart:x:1000:1000::/:/sbin/nologin\n");
    const problems = await differences(root, stalwart.config, stalwart);
    expect(problems).toContain("the user stalwart is not 2000:2000");
    expect(problems).toContain(
      "/usr/local/bin/stalwart has the capability none, not cap_net_bind_service=ep",
    );
  });
});
