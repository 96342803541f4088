import { describe, expect, test } from "vitest";
import { sidecarWaitsForPostgres as policy } from "../../policies/rules/sidecar-waits-for-postgres.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type TestResource,
} from "./harness.ts";
import { labels, resource } from "./resources.ts";

const TYPE = "docker:index/container:Container";
const HEALTH = "wget -qO- http://127.0.0.1:9002/healthz";
const PROBE = "nc -z -w 3 the-record-prod 5432";

const container = (role: string, props: object) => resource(TYPE, role, { labels: labels(role), ...props });
const sidecar = (tests: unknown, envs: unknown = ["TS_HOSTNAME=stalwart"]): TestResource =>
  container("sidecar", { envs, healthcheck: { tests, interval: "5s" } });
const shell = (script: string): string[] => ["CMD-SHELL", script];
const stalwart = container("stalwart", {
  envs: ["TAILWART_POSTGRES_HOST=the-record-prod", "TAILWART_POSTGRES_PORT=5432"],
});

const NO_TAILSCALED = /healthcheck\.tests can succeed while tailscaled is not healthy/;
const NO_STORE = /healthcheck\.tests can succeed while the data store is not reachable/;

describe("sidecar-waits-for-postgres refuses a health check that", () => {
  test.each([
    ["asks tailscaled only", shell(HEALTH), [NO_STORE]],
    ["asks Postgres only", shell(PROBE), [NO_TAILSCALED]],
    ["prints the commands only", shell(`echo "${HEALTH} && ${PROBE}"`), [NO_TAILSCALED, NO_STORE]],
    ["has the probe in a comment", shell(`${HEALTH} # && ${PROBE}`), [NO_STORE]],
    ["is one command without a shell", ["CMD", "nc", "-z", "the-record-prod", "5432"], [NO_TAILSCALED]],
    [
      "uses curl, which succeeds on 503 without --fail",
      shell(`curl -s http://127.0.0.1:9002/healthz && ${PROBE}`),
      [NO_TAILSCALED],
    ],
    [
      "uses `tailscale status --json`, which succeeds in any state",
      shell(`tailscale status --json && ${PROBE}`),
      [NO_TAILSCALED],
    ],
    [
      "asks another host's health",
      shell(`wget -qO- http://example.org/healthz && ${PROBE}`),
      [NO_TAILSCALED],
    ],
    [
      "asks another host's health with curl",
      shell(`curl -f http://example.org/healthz && ${PROBE}`),
      [NO_TAILSCALED],
    ],
    ["listens instead of connecting", shell(`${HEALTH} && nc -l the-record-prod 5432`), [NO_STORE]],
    ["takes either", shell(`${HEALTH} || ${PROBE}`), [NO_TAILSCALED, NO_STORE]],
    [
      "takes either, and both in one case",
      shell(`${HEALTH} || ${HEALTH} && ${PROBE} || true`),
      [NO_TAILSCALED, NO_STORE],
    ],
    ["always succeeds in the end", shell(`${HEALTH} && ${PROBE} || true`), [NO_TAILSCALED, NO_STORE]],
    [
      "always succeeds in the end, by a colon",
      shell(`${HEALTH} && ${PROBE} || :`),
      [NO_TAILSCALED, NO_STORE],
    ],
    ["ends well in any case", shell(`${HEALTH} && ${PROBE} || exit 0`), [NO_TAILSCALED, NO_STORE]],
    [
      "prints its failure, which succeeds",
      shell(`${HEALTH} && ${PROBE} || echo down`),
      [NO_TAILSCALED, NO_STORE],
    ],
    ["forgives the probe alone", shell(`${PROBE} || true && ${HEALTH}`), [NO_STORE]],
    ["asks one of two servers", shell(`nc -z a 5432 || nc -z b 5432 && ${HEALTH}`), [NO_STORE]],
    ["is turned off", ["NONE"], [/turns the health check off/]],
    ["has no form that Docker knows", [HEALTH], [/begins with neither CMD nor CMD-SHELL/]],
    ["is an empty list", [], [/is not set/]],
  ])("%s", async (_, tests, expected) => {
    const { violations } = await runPolicy(policy, sidecar(tests));
    expect(violations).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(violations[i]).toMatch(pattern);
  });

  test("is not there at all, and says why and what to write instead", async () => {
    const { violations } = await runPolicy(policy, container("sidecar", {}));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^healthcheck\.tests is not set/);
    expect(violations[0]).toMatch(/why: .*before the route to Postgres is usable.*lesson 1/);
    expect(violations[0]).toContain(
      "instead: CMD-SHELL with `wget -qO- http://127.0.0.1:9002/healthz && nc -z -w 3",
    );
  });

  test.each([
    ["another host", `${HEALTH} && nc -z example.org 5432`, "example.org:5432"],
    ["another port", `${HEALTH} && nc -z the-record-prod 22`, "the-record-prod:22"],
    ["the sidecar itself", `${HEALTH} && nc -z 127.0.0.1 9002`, "127.0.0.1:9002"],
  ])("asks %s than the stack's data store", async (_, script, probed) => {
    const resource = sidecar(shell(script));
    expect(await runPolicy(policy, resource)).toEqual(PASSED); // one resource cannot tell
    const { violations } = await runStackPolicy(policy, [resource, stalwart]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`requires ${probed}, while the data store is the-record-prod:5432`);
    expect(violations[0]).toContain("nc -z -w 3 the-record-prod 5432");
  });
});

describe("sidecar-waits-for-postgres passes a health check that", () => {
  test.each([
    ["joins both with &&", shell(`${HEALTH} && ${PROBE}`)],
    ["joins both the other way round, with exit 1", shell(`${PROBE} && ${HEALTH} >/dev/null 2>&1 || exit 1`)],
    ["ends each command by hand", shell(`${HEALTH} || exit 1 && ${PROBE} || false`)],
    ["ends with the status of what failed", shell(`${HEALTH} && ${PROBE} || exit`)],
    [
      "asks by another program where one is missing",
      shell(`${PROBE} || pg_isready -h the-record-prod && ${HEALTH}`),
    ],
    ["calls a shell itself", ["CMD", "/bin/sh", "-ec", `${HEALTH} && ${PROBE}`]],
    ["goes on in the next line", shell(`${HEALTH} &&\n  ${PROBE} \\\n  || exit 1\n`)],
    ["has a comment", shell(`${HEALTH} && ${PROBE} # both`)],
    ["uses curl with --fail", shell(`curl -fsS localhost:9002/healthz && ${PROBE}`)],
    ["uses `tailscale status`", shell(`tailscale status && ${PROBE}`)],
    [
      "wraps the probe in commands that keep its status",
      shell(`${HEALTH} && env LANG=C timeout -s KILL 3 ${PROBE}`),
    ],
    ["uses pg_isready's long options", shell(`${HEALTH} && pg_isready --host the-record-prod --port=5432`)],
    ["uses `tailscale wait`", shell(`timeout 5 tailscale wait && ${PROBE}`)],
    ["uses pg_isready", shell(`${HEALTH} && pg_isready -q -h the-record-prod -t 3`)],
    [
      "uses bash's /dev/tcp",
      ["CMD", "bash", "-c", `${HEALTH} && timeout 3 bash -c '</dev/tcp/the-record-prod/5432'`],
    ],
    ["bundles nc's options", shell(`${HEALTH} && nc -zw3 the-record-prod postgresql`)],
    ["names the data store in full", shell(`${HEALTH} && nc -z The-Record-Prod.tail1.ts.net. 5432`)],
    ["has more conditions", shell(`${HEALTH} && ${PROBE} && test -e /dev/net/tun`)],
  ])("%s", async (_, tests) => {
    const resource = sidecar(tests);
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
    expect(await runStackPolicy(policy, [resource, stalwart])).toEqual(PASSED);
  });

  test("takes host and port from the container's environment, a secret one too", async () => {
    const resource = sidecar(shell(`${HEALTH} && nc -z "$PGHOST" \${PGPORT:-5432}`), [
      "TS_AUTHKEY=x",
      secret("PGHOST=the-record-prod"),
    ]);
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
    expect(await runStackPolicy(policy, [resource, stalwart])).toEqual(PASSED);
  });

  test.each([
    [
      "a component's args",
      { type: "tailwart:mail:Stalwart", props: { postgres: { host: "db1", port: 5433 } } },
    ],
    [
      "Stalwart's TOML",
      container("stalwart", {
        uploads: [
          {
            file: "/etc/stalwart/config.toml",
            content: '[store.pg]\ntype = "postgresql"\nhost = "db1"\nport = 5433\n',
          },
        ],
      }),
    ],
    [
      "Stalwart's TOML in base64",
      container("stalwart", {
        uploads: [
          {
            file: "/etc/stalwart/config.toml",
            contentBase64: btoa('[store.pg]\ntype = "postgresql"\nhost = "db1"\nport = 5433\n'),
          },
        ],
      }),
    ],
    [
      "Stalwart's JSON",
      container("stalwart", {
        uploads: [
          { file: "/etc/stalwart/config.json", content: '{"@type":"PostgreSql","host":"db1","port":5433}' },
        ],
      }),
    ],
  ])("asks the data store that stands in %s", async (_, store) => {
    expect(await runStackPolicy(policy, [sidecar(shell(`${HEALTH} && nc -z db1 5433`)), store])).toEqual(
      PASSED,
    );
    expect(
      (await runStackPolicy(policy, [sidecar(shell(`${HEALTH} && nc -z db1 5432`)), store])).violations,
    ).toHaveLength(1);
  });
});

describe("sidecar-waits-for-postgres lists as not judged", () => {
  test.each([
    ["an unknown test", sidecar(UNKNOWN_LIST), "healthcheck.tests: unknown until the update"],
    [
      "an unknown health check",
      container("sidecar", { healthcheck: UNKNOWN_OBJECT }),
      "healthcheck.tests: unknown until the update",
    ],
    ["an unknown script", sidecar(["CMD-SHELL", UNKNOWN]), "healthcheck.tests[1]: unknown until the update"],
    ["unknown labels", { type: TYPE, props: { labels: UNKNOWN_LIST } }, "labels: unknown until the update"],
  ])("%s", async (_, resource, gap) => {
    expect(await runPolicy(policy, resource)).toEqual({ violations: [], notJudged: [gap] });
  });

  test.each([
    ["forgets the first answer", shell(`${HEALTH}; ${PROBE}`)],
    ["forgets the first answer in a line of its own", shell(`${HEALTH}\n${PROBE}`)],
    ["forgets both at the end", shell(`${HEALTH} && ${PROBE}; true`)],
    ["asks in the background", shell(`${HEALTH} && { ${PROBE} & }`)],
    ["wants Postgres down", shell(`${HEALTH} && ! ${PROBE}`)],
    ["swallows the status in a pipeline", shell(`${HEALTH} && ${PROBE} | cat`)],
    ["asks either of two servers", shell(`${HEALTH} && (nc -z the-record-prod 5432 || nc -z another 5432)`)],
    ["calls a shell itself, which goes on after a failure", ["CMD", "/bin/sh", "-c", `${HEALTH}; ${PROBE}`]],
    ["forgets the probe in a nested shell", shell(`${HEALTH} && sh -c '${PROBE}; true'`)],
    ["can never succeed", shell(`${HEALTH} && ${PROBE} && false`)],
    ["ends before the probe", shell(`${HEALTH} && exit 0 && ${PROBE}`)],
    ["may end before the probe", shell(`${HEALTH} || exit 0 && ${PROBE}`)],
    ["runs another program in place of the shell", shell(`${HEALTH} && exec true && ${PROBE}`)],
    ["ends at the first failure", shell(`set -e\n${HEALTH} > /dev/null\n${PROBE}`)],
    ["exits by hand", shell(`${HEALTH} || exit 1; ${PROBE} || exit 1`)],
    ["has another condition", shell(`if ${HEALTH}; then ${PROBE}; fi`)],
    ["judges an output", shell(`tailscale status --json | grep -q Running && ${PROBE}`)],
    ["runs the output of a program", shell(`${HEALTH} && $(echo ${PROBE})`)],
    ["asks a server that a program names", shell(`${HEALTH} && nc -z "$(cat /host)" 5432`)],
    ["asks a server that a program names, in the old way", shell(`${HEALTH} && nc -z \`cat /host\` 5432`)],
    ["has a quote that is not closed", shell(`${HEALTH} && ${PROBE} '`)],
    ["has nothing on one side of &&", shell(`${HEALTH} && ${PROBE} &&`)],
    ["reads from a here-document", shell(`${HEALTH} && ${PROBE} <<E\nE`)],
  ])("a health check that %s: only commands joined by && and || are read", async (_, tests) => {
    expect(await runPolicy(policy, sidecar(tests))).toEqual({
      violations: [],
      notJudged: ["healthcheck.tests: its shell syntax is not read here; join plain commands with &&"],
    });
  });

  test("a data store that no resource tells, or whose probe has an unset variable", async () => {
    const good = sidecar(shell(`${HEALTH} && ${PROBE}`));
    expect((await runStackPolicy(policy, [good])).notJudged.join()).toContain(
      "no resource of the stack tells which data store",
    );
    const open = sidecar(shell(`${HEALTH} && nc -z $PGHOST 5432`), [UNKNOWN]);
    expect((await runStackPolicy(policy, [open, stalwart])).notJudged.join()).toContain(
      "comes from a variable",
    );
  });
});

test.each([
  ["without a probe", shell(HEALTH)],
  ["that is unknown", UNKNOWN_LIST],
  ["that is turned off", ["NONE"]],
])("sidecar-waits-for-postgres says once what it says of a health check %s", async (_, tests) => {
  expect(await runStackPolicy(policy, [sidecar(tests), stalwart])).toEqual(PASSED);
  expect(await runStackPolicy(policy, [sidecar(tests)])).toEqual(PASSED);
});

describe("sidecar-waits-for-postgres does not concern", () => {
  test.each([
    ["another container", container("stalwart", {})],
    ["a container without labels", { type: TYPE, props: {} }],
    ["another resource", { type: "docker:index/network:Network", props: { labels: labels("sidecar") } }],
  ])("%s", async (_, resource) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.notApplicable).toBeDefined();
    expect(outcome.violations).toEqual([]);
  });

  test("a stack without a sidecar", async () => {
    expect((await runStackPolicy(policy, [stalwart])).notApplicable).toMatch(/no container with the label/);
  });
});
