import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readHealthTest } from "../../policies/facts/docker/health-test.ts";

const read = (script: string, variables = new Map<string, string>()) =>
  readHealthTest(["CMD-SHELL", script], variables);
/** The servers that a script makes sure of, as host:port. */
const servers = (script: string, variables?: Map<string, string>): string[] | undefined => {
  const reading = read(script, variables);
  return reading.kind === "requires"
    ? reading.proofs.flatMap((proof) => (proof.kind === "connects" ? `${proof.host}:${proof.port}` : []))
    : undefined;
};

test.each([
  ["nc -z a 1 && nc -z b 2", ["a:1", "b:2"]],
  ["nc -z a 1 || exit 1", ["a:1"]],
  ["nc -z 'a' \"1\"", ["a:1"]],
  ["nc -z a\\ b 1", ["a b:1"]],
  ["nc -z a'b'\"c\" 1", ["abc:1"]],
  ["nc -z a 1 >/dev/null 2>&1", ["a:1"]],
  ["nc -z a 1 # && nc -z b 2", ["a:1"]],
  ["echo 'nc -z a 1 && nc -z b 2' }", []],
  ["test -e /x && </dev/tcp/a/1", ["a:1"]],
  ["sh -c 'nc -z a 1 && nc -z b 2' && sh /check.sh", ["a:1", "b:2"]],
  ["A=b command nc -z a 1", ["a:1"]],
])("%s makes sure of %j", (script, expected) => {
  expect(servers(script)).toEqual(expected);
});

test("fills in the variables that it is given", () => {
  const variables = new Map([["HOST", "db"]]);
  expect(servers("nc -z \"$HOST\" ${PORT:-5432} && nc -z ${X} '$HOST'", variables)).toEqual([
    "db:5432",
    "${x}:$HOST",
  ]);
});

/** Random scripts over three servers whose answers are then tried, all eight, in the real shell. */
test("agrees with sh: where a script is read, it succeeds only if every server that it asks answers", () => {
  const simple = fc.constantFrom(
    ...["nc -z a 1", "nc -z b 1", "nc -z c 1", "nc -z 'a' 1 >/dev/null", "true", ":", "test -n x"],
    ...[
      "! nc -z a 1",
      "(nc -z a 1)",
      "{ nc -z b 1; }",
      "exit 0",
      "exit 1",
      "false",
      "exec true",
      "nc -z a 1 #",
    ],
  );
  const join = fc.constantFrom(" && ", " && ", " && ", " && ", " &&\n", " || ", "; ", " | ", "\n", " & ");
  const script = fc
    .tuple(
      fc.constantFrom("", "", "set -e; "),
      fc.array(fc.tuple(simple, join), { maxLength: 3 }),
      simple,
      fc.constantFrom("", " || exit 1", " || true"),
    )
    .map(([start, list, last, end]) => start + list.flat().join("") + last + end);
  const outcomes = ["", "a", "b", "c", "ab", "ac", "bc", "abc"];
  fc.assert(
    fc.property(script, (text) => {
      const asked = servers(text);
      fc.pre(asked !== undefined);
      const program = outcomes
        .map((up) => `(nc() { case "${up}" in *"$2"*) ;; *) false ;; esac; }; ${text}\n); echo $?`)
        .join("\n");
      const statuses = execFileSync("sh", ["-c", program], { encoding: "utf8" }).trim().split("\n");
      for (const [i, up] of outcomes.entries())
        if (statuses[i] === "0")
          for (const server of asked ?? []) expect(up, `${text} with ${up}`).toContain(server.charAt(0));
    }),
    { numRuns: Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 150) > 1000 ? 2000 : 150 },
  );
}, 300_000);
