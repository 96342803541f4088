import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { nameProblem, namesProbe, readNames } from "../../../verify/names.ts";

const NAMES = { magicDns: "stalwart.tail.test", public: "ca.example.org" };
const bin = mkdtempSync(join(tmpdir(), "tailwart-names-"));
afterAll(() => rmSync(bin, { recursive: true }));

/** Runs the probe where the container's resolver knows some names, and 100.100.100.100 some. */
function probe(resolver: string[], magicDns: string[]): string {
  const knows = (names: string[], argument: string) =>
    `#!/bin/sh\ncase "${argument}" in ${[...names, "nothing"].join("|")}) exit 0 ;; esac\nexit 1\n`;
  writeFileSync(join(bin, "getent"), knows(resolver, "$2"), { mode: 0o755 });
  writeFileSync(join(bin, "nslookup"), knows(magicDns, "$2"), { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  return execFileSync("sh", ["-c", namesProbe(NAMES)], { encoding: "utf8", env });
}

describe("what the edge resolves", () => {
  test("both names: nothing to say", () => {
    const seen = readNames(probe(Object.values(NAMES), []));
    expect(seen).toMatchObject({ magicDns: "resolved", public: "resolved" });
    expect(seen.servers.length).toBeGreaterThan(0);
    expect(nameProblem(seen, NAMES)).toBeUndefined();
  });

  test("a MagicDNS name that only 100.100.100.100 knows is told from one that nobody knows", () => {
    const aside = readNames(probe([NAMES.public], [NAMES.magicDns]));
    expect(aside.magicDns).toBe("by-quad-100");
    expect(nameProblem(aside, NAMES)?.hint).toMatch(/--accept-dns.*docker restart/);
    const nowhere = readNames(probe([NAMES.public], []));
    expect(nowhere.magicDns).toBe("no");
    expect(nameProblem(nowhere, NAMES)?.hint).toMatch(/grant.*sidecar.*tags\.edge/);
  });

  test("no public name, while 100.100.100.100 is asked: names that as the cause, and daemon.json", () => {
    const seen = readNames("resolved\nno\n100.100.100.100");
    const problem = nameProblem(seen, NAMES);
    expect(problem?.message).toBe(
      "the edge does not resolve the public name ca.example.org: the container asks 100.100.100.100",
    );
    expect(problem?.hint).toMatch(/systemd-resolved.*daemon\.json/);
  });

  test("no public name with another resolver: sends the reader to the host", () => {
    const seen = readNames("resolved\nno\n127.0.0.53 192.0.2.1");
    expect(nameProblem(seen, NAMES)).toEqual({
      message:
        "the edge does not resolve the public name ca.example.org: the container asks 127.0.0.53, 192.0.2.1",
      hint: "look on the host itself: getent hosts ca.example.org",
    });
  });

  test("a probe that printed nothing proves nothing", () => {
    expect(nameProblem(readNames(""), NAMES)?.message).toMatch(/no server at all/);
  });
});
