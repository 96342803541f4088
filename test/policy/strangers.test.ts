import { describe, expect, test } from "vitest";
import cloudBehindCaddy from "./foreign-stacks/cloud-behind-caddy.ts";
import mailSuite from "./foreign-stacks/mail-suite.ts";
import mailserverBehindTailnet from "./foreign-stacks/mailserver-behind-tailnet.ts";
import type { Expected, Stranger } from "./foreign-stacks/stranger.ts";
import subnetRouter from "./foreign-stacks/subnet-router.ts";
import webApp from "./foreign-stacks/web-app.ts";
import { sayAll, type Said } from "./whole-pack.ts";

/** What was said as far as it was expected, and in full where it was not. */
function compare(texts: readonly (readonly [Said, string])[], expected: readonly Expected[]): string[] {
  const open = [...expected];
  return texts
    .map(([{ policy, resource }, text]) => {
      const at = open.findIndex(
        ([id, name, where]) =>
          id === policy &&
          name === resource &&
          text.startsWith(where) &&
          /^$|^[\s:.,[]/.test(text.slice(where.length)),
      );
      const [found] = at < 0 ? [] : open.splice(at, 1);
      return (found ?? [policy, resource, text]).join(" | ");
    })
    .sort();
}

const STRANGERS: Record<string, Stranger> = {
  "a mail suite on one host": mailSuite,
  "a mail server behind a tailnet": mailserverBehindTailnet,
  "a file cloud behind Caddy": cloudBehindCaddy,
  "a web application with Postgres": webApp,
  "a router into a home network": subnetRouter,
};

describe.each(Object.entries(STRANGERS))("over %s", (_, stranger) => {
  test("the pack finds what is wrong, and is silent elsewhere", async () => {
    const said = await sayAll(stranger.resources);
    const lines = (list: readonly Expected[]): string[] => list.map((one) => one.join(" | ")).sort();
    expect(said.filter(({ outcome }) => outcome.blind !== undefined)).toEqual([]);
    expect({
      violations: compare(
        said.flatMap((one) =>
          one.outcome.violations.map((text) => [one, text.split("\n", 1)[0] ?? ""] as const),
        ),
        stranger.violations,
      ),
      notJudged: compare(
        said.flatMap((one) => one.outcome.notJudged.map((text) => [one, text] as const)),
        stranger.notJudged,
      ),
    }).toEqual({ violations: lines(stranger.violations), notJudged: lines(stranger.notJudged) });
  });
});
