import { describe, expect, test } from "vitest";
import { routeChangeRestarts as policy } from "../../policies/rules/route-change-restarts.ts";
import {
  PASSED,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type TestResource,
} from "./harness.ts";
import { comesFrom, CONTAINER, resource as resourceOf } from "./resources.ts";

type Sources = Record<string, TestResource[]>;
const resource = (type: string, name: string, props: object, from: Sources = {}) =>
  resourceOf(type, name, props, comesFrom(from));
const command = (name: string, props: object, from?: Sources) =>
  resource("command:local:Command", name, props, from);
const container = (name: string, props: object, from?: Sources) => resource(CONTAINER, name, props, from);

const BODY = '[{"type":"insert","values":[["queue.route.smarthost.address","mailbox"]]}]';
const POST = "curl -sf --data-binary @- http://127.0.0.1:8080/api/settings";
const write = (create: unknown, more: object = {}): TestResource =>
  command("routes", { create, stdin: BODY, ...more });
const WRITES = "writes routes, and nothing restarts Stalwart when they change";

test("route-change-restarts says where, what, why and what to write instead", async () => {
  const { violations } = await runStackPolicy(policy, [write(POST)]);
  expect(violations).toEqual([expect.stringContaining(`create ${WRITES}.`)]);
  expect(violations[0]).toMatch(/why: a written route is stored but not used.* \(lesson 12, https:/);
  expect(violations[0]).toMatch(
    /instead: a GET of \/api\/reload or a restart.*same script.*triggers.*settings resource/,
  );
});

test("route-change-restarts passes a restart that is written over several lines", async () => {
  const create = `${POST}\ndocker \\\n  restart \\\n  stalwart`;
  expect(await runStackPolicy(policy, [write(create)])).toEqual(PASSED);
});

describe("route-change-restarts refuses a command that writes routes", () => {
  test.each([
    [
      "with the body on the command line",
      command("r", { create: `curl -X POST http://s/api/settings -d '${BODY}'` }),
    ],
    [
      "with the body in the environment",
      command("r", { create: 'curl --json "$BODY" http://s/api/settings', environment: { BODY } }),
    ],
    [
      "over several lines",
      command("r", { create: `curl -X POST \\\n  http://s/api/settings \\\n  -d '${BODY}'` }),
    ],
    [
      "from a script in the environment",
      command("r", {
        create: 'sh -c "$SCRIPT"',
        environment: { SCRIPT: `curl -XPOST http://s/api/settings -d '${BODY}'` },
      }),
    ],
    [
      "in a strategy",
      write(POST, { stdin: '[{"type":"insert","values":[["queue.strategy.route","\'smarthost\'"]]}]' }),
    ],
    [
      "by deleting one",
      command("r", { create: "curl -X DELETE http://s/api/settings/queue.route.smarthost.address" }),
    ],
    [
      "with Stalwart's old command line",
      command("r", { create: "stalwart-cli -u http://s server add-config queue.route.a.type relay" }),
    ],
    [
      "on another host",
      resource("command:remote:Command", "r", { connection: { host: "kvm" }, create: POST, stdin: BODY }),
    ],
    ["and reloads before that", write(`curl http://s/api/reload; ${POST}`)],
    ["and restarts before that", write(`docker restart stalwart && ${POST}`)],
    ["and reloads certificates alone", write(`${POST}; curl http://s/api/reload/certificate`)],
    ["and reloads for show", write(`${POST}; curl 'http://s/api/reload?dry-run=true'`)],
    ["and restarts in a comment line", write(`${POST}\n# docker restart stalwart`)],
    ["and restarts in a comment behind", write(`${POST} # docker restart stalwart`)],
    ["and has a restart policy elsewhere", write(`${POST}; docker run --restart always other`)],
    ["and changes a restart policy", write(`${POST}; docker update --restart=always stalwart`)],
    ["and lists what was started", write(`${POST}; docker ps; echo start`)],
  ])("%s", async (_, writer) => {
    const outcome = await runStackPolicy(policy, [writer]);
    expect(outcome).toEqual({ violations: [expect.stringContaining(`create ${WRITES}.`)], notJudged: [] });
  });

  const PLAN = '{"@type":"upsert","object":"MtaRoute","value":{"r":{"name":"edge"}}}';
  const SET = '{"methodCalls":[["x:MtaOutboundStrategy/set",{"update":{}},"c0"]]}';
  test.each([
    ["with Stalwart's command line", command("r", { create: "stalwart-cli apply --stdin", stdin: PLAN })],
    [
      "by a name on Stalwart's command line",
      command("r", { create: "stalwart-cli update MtaOutboundStrategy --json '{}'" }),
    ],
    ...[
      `stalwart-cli \\\n  --url http://s \\\n  apply --stdin <<E\n{"object":"MtaRoute"}\nE`,
      `stalwart-cli \\\r\n  -u http://s apply <<E\r\n{"object":"MtaOutboundStrategy"}\r\nE`,
      `stalwart-cli -u http://s \\\n\\\n  create MtaRoute`,
      `# a comment \\\nstalwart-cli \\\n  update MtaRoute x`,
    ].map((create, i): [string, TestResource] => [`over several lines (${i})`, command("r", { create })]),
    ["with a request", command("r", { create: "curl -d @- http://s/jmap", stdin: SET })],
    [
      "and asks for ReloadSettings",
      command("r", {
        create: "stalwart-cli apply --stdin && stalwart-cli create Action/ReloadSettings",
        stdin: PLAN,
      }),
    ],
    [
      "and reloads as the 0.15 line does",
      command("r", { create: "curl -d @- http://s/jmap && curl http://s/api/reload", stdin: SET }),
    ],
  ])("to the registry %s", async (_, writer) => {
    const outcome = await runStackPolicy(policy, [writer]);
    expect(outcome.violations).toEqual([
      expect.stringContaining(
        `create ${WRITES} (ReloadSettings may be refused, and then leaves all as it is).`,
      ),
    ]);
    expect(outcome.notJudged).toEqual([]);
  });

  const writer = write(POST, { triggers: ["1"] });
  test.each([
    [
      "a restart that runs at the first deploy alone",
      command("restart", { create: "docker restart stalwart" }),
    ],
    [
      "a restart for another's sake",
      command(
        "restart",
        { create: "docker restart stalwart", triggers: ["x"] },
        { triggers: [container("c", {})] },
      ),
    ],
    [
      "a restart whose trigger is as short as a counter",
      command("restart", { create: "docker restart stalwart", triggers: ["1"] }),
    ],
    [
      "a command that follows and does something else",
      command("next", { create: "echo done", triggers: ["x"] }, { triggers: [writer] }),
    ],
    [
      "a command that follows and restarts on create alone",
      command("next", { create: "docker restart s", update: "true" }, { stdin: [writer] }),
    ],
    ["a container with an input that only looks like a trigger", container("stalwart", { triggers: [BODY] })],
    [
      "another kind of resource that follows and holds a script",
      resource("example:index:Thing", "thing", { create: "docker restart s" }, { create: [writer] }),
    ],
    ["a volume that follows", resource("docker:index/volume:Volume", "v", { name: "v" }, { name: [writer] })],
  ])("beside %s", async (_, other) => {
    const { violations } = await runStackPolicy(policy, [writer, other]);
    expect(violations).toEqual([expect.stringContaining(WRITES)]);
  });

  test("and restarts on create, but not on update", async () => {
    const resource = write(`${POST}; docker restart stalwart`, { update: POST });
    expect((await runStackPolicy(policy, [resource])).violations).toEqual([
      expect.stringContaining(`update ${WRITES}.`),
    ]);
  });
});

describe("route-change-restarts sees a write", () => {
  test.each([
    [
      "by a verb that touches its flag",
      [command("r", { create: "curl -XDELETE http://s/api/settings/queue.route.a.type" })],
    ],
    [
      "from Python",
      [
        command("r", {
          interpreter: ["python3", "-c"],
          create: 'requests.post("http://s/api/settings", data=sys.stdin.read())',
          stdin: BODY,
        }),
      ],
    ],
    [
      "behind which only a script for the end follows",
      [write(POST), command("next", { delete: "docker restart s" }, { stdin: [write(POST)] })],
    ],
  ])("%s", async (_, resources) => {
    expect((await runStackPolicy(policy, resources)).violations).toEqual([expect.stringContaining(WRITES)]);
  });
});

describe("route-change-restarts accepts", () => {
  test.each([
    [
      "tailwart's settings, whose provider reloads and reads back",
      [resource("tailwart:mail:Settings", "s", { settings: { "queue.route.a.type": "relay" } })],
    ],
    [
      "the component that holds them",
      [resource("tailwart:mail:MailSettings", "s", { settings: { relays: [] } })],
    ],
    ["a write and a reload", [write(`${POST} && curl -sf http://s/api/reload`)]],
    ["a write and a reload on another line", [write(`${POST}\ncurl -sf "http://s/api/reload"`)]],
    ["a write and a restart", [write(`${POST} && docker restart stalwart`)]],
    [
      "a write and a restart over ssh",
      [write(`${POST}; ssh kvm 'docker compose -f /srv/c.yaml restart stalwart'`)],
    ],
    ["a write and a restart of the unit", [write(`${POST}; systemctl restart stalwart`)]],
    ["a write and a stop and a start", [write(`${POST}; docker stop s; docker start s`)]],
    ["a write and new containers", [write(`${POST}; docker compose up -d --force-recreate`)]],
    [
      "a script on stdin that does both",
      [
        command("r", {
          create: "ssh kvm sh -s",
          stdin: `curl -d '${BODY}' http://s/api/settings\ndocker restart s`,
        }),
      ],
    ],
    [
      "an address in the environment",
      [
        command("r", {
          create: `curl -d '${BODY}' "$URL"; docker restart s`,
          environment: { URL: "http://s/api/settings" },
        }),
      ],
    ],
    [
      "the old command line with its reload",
      [
        command("r", {
          create: "stalwart-cli server add-config queue.route.a.type mx && stalwart-cli server reload-config",
        }),
      ],
    ],
    [
      "the registry and a restart",
      [
        command("r", {
          create: "stalwart-cli apply --stdin && docker restart s",
          stdin: '{"object":"MtaRoute"}',
        }),
      ],
    ],
    [
      "create and update that both restart",
      [write(`${POST}; docker restart s`, { update: `${POST}; docker restart s # again` })],
    ],
  ])("%s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  const writer = write(POST, { triggers: ["sha256:0123"] });
  test.each([
    [
      "a restart that is triggered by it",
      command("restart", { create: "docker restart s", triggers: [UNKNOWN] }, { triggers: [writer] }),
    ],
    [
      "a reload that takes its output",
      command("restart", { create: "curl http://s/api/reload" }, { stdin: [writer] }),
    ],
    [
      "a restart with the same trigger",
      command("restart", { create: "docker restart s", triggers: ["sha256:0123"] }),
    ],
    [
      "a restart with the routes as its trigger",
      command("restart", { create: "docker restart s", triggers: [BODY] }),
    ],
    ["a container that is made of its output", container("stalwart", { labels: [] }, { labels: [writer] })],
  ])("a write that is followed by %s", async (_, other) => {
    expect(await runStackPolicy(policy, [other, writer])).toEqual(PASSED);
  });
});

const TOML = '[queue]\nroute.smarthost.type = "relay"\n';
const FILE = "/etc/stalwart/config.toml";
const volumes = (volumeName: unknown, containerPath = "/etc/stalwart"): object => ({
  volumes: [{ volumeName, containerPath }],
});
const carrier = (upload: object, more: object = {}, from?: Sources): TestResource =>
  container(
    "files",
    { start: false, uploads: [{ file: FILE, ...upload }], ...volumes("etc"), ...more },
    from,
  );
/** The provider gives a folder of the host an empty volumeName. */
const HOST = { volumeName: "", hostPath: "/srv/stalwart" };
const server = (more: object = {}, from?: Sources): TestResource =>
  container("stalwart", { ...volumes("etc"), ...more }, from);

describe("a config file in a container that only carries it", () => {
  const WHAT = "holds routes, and the server that mounts the volume is not made anew when they change";
  const volume = resource("docker:index/volume:Volume", "etc", {});
  test.each([
    [
      "in TOML's tables",
      { content: TOML },
      `uploads[0].content (${FILE}) queue.route.smarthost.type ${WHAT}`,
    ],
    [
      "in a table's name",
      { content: "[queue.strategy]\nroute = \"'smarthost'\"\n" },
      `uploads[0].content (${FILE}) queue.strategy.route ${WHAT}`,
    ],
    [
      "in base64",
      { contentBase64: Buffer.from(TOML).toString("base64") },
      `uploads[0].content (${FILE}) queue.route.smarthost.type ${WHAT}`,
    ],
    [
      "beside empty strings, as the engine sends them",
      { content: TOML, contentBase64: "", source: "" },
      `uploads[0].content (${FILE}) queue.route.smarthost.type ${WHAT}`,
    ],
    [
      "in base64 beside an empty content",
      { content: "", contentBase64: Buffer.from(TOML).toString("base64"), source: "" },
      `uploads[0].content (${FILE}) queue.route.smarthost.type ${WHAT}`,
    ],
    ["in one line", { content: 'queue.route.a.type = "mx"' }, `uploads[0].content (${FILE}) ${WHAT}`],
    ["in JSON within TOML", { content: `[a]\nb = '${BODY}'\n` }, `uploads[0].content (${FILE}) a.b`],
  ])("with routes %s must make the server anew", async (_, upload, text) => {
    const { violations, notJudged } = await runStackPolicy(policy, [carrier(upload), server()]);
    expect(violations).toEqual([expect.stringContaining(text)]);
    expect(violations[0]).toContain("instead: a label of the server's container with the id of this one");
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["it is to run and end", [carrier({ content: TOML }, { start: true, mustRun: false }), server()]],
    [
      "the volume's name is unknown, and both take it from one resource",
      [
        carrier({ content: TOML }, volumes(UNKNOWN), { volumes: [volume] }),
        server(volumes(UNKNOWN), { volumes: [volume] }),
        volume,
      ],
    ],
    [
      "the server's volumes are unknown as a whole, and come from the same resource",
      [
        carrier({ content: TOML }, volumes(UNKNOWN), { volumes: [volume] }),
        server({ volumes: UNKNOWN_LIST }, { volumes: [volume] }),
        volume,
      ],
    ],
    [
      "both mount one folder of the host",
      [
        carrier({ content: TOML }, { volumes: [{ ...HOST, containerPath: "/etc/stalwart" }] }),
        server({ volumes: [{ ...HOST, containerPath: "/etc/stalwart" }] }),
      ],
    ],
    [
      "the volume lies above the file's folder",
      [carrier({ content: TOML }, volumes("etc", "/etc")), server()],
    ],
  ])("must do so too where %s", async (_, resources) => {
    expect((await runStackPolicy(policy, resources)).violations).toEqual([expect.stringContaining(WHAT)]);
  });

  const made = carrier({ content: TOML });
  test.each([
    ["is made anew with it", [made, server({}, { labels: [made] })]],
    [
      "is made anew with it, and a backup is not",
      [made, container("backup", volumes("etc")), server({}, { labels: [made] })],
    ],
    [
      "has the file in its own uploads",
      [
        container("stalwart", { uploads: [{ file: FILE, content: TOML }], ...volumes("etc") }),
        container("backup", volumes("etc")),
      ],
    ],
    [
      "mounts another folder of the host",
      [
        carrier({ content: TOML }, { volumes: [{ ...HOST, containerPath: "/etc/stalwart" }] }),
        container("web", { volumes: [{ volumeName: "", hostPath: "/srv/www", containerPath: "/www" }] }),
      ],
    ],
    ["mounts another volume", [made, container("web", volumes("www"))]],
    [
      "mounts a volume of the carrier that the file does not lie in",
      [
        carrier(
          { content: TOML },
          {
            volumes: [
              { volumeName: "etc", containerPath: "/etc/stalwart" },
              { volumeName: "logs", containerPath: "/logs" },
            ],
          },
        ),
        container("logger", volumes("logs")),
      ],
    ],
  ])("is fine where the server %s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  test.each([
    ["a content", { content: UNKNOWN }, `uploads[0].content (${FILE}): unknown until the update`],
    [
      "a base64 content",
      { contentBase64: UNKNOWN },
      `uploads[0].content (${FILE}): unknown until the update`,
    ],
    [
      "a file of this machine",
      { source: "./config.toml" },
      `uploads[0].content (${FILE}): a local file, which is only read at deploy`,
    ],
  ])("is not judged for %s that cannot be read", async (_, upload, line) => {
    expect(await runStackPolicy(policy, [carrier(upload), server()])).toEqual({
      violations: [],
      notJudged: [line],
    });
  });

  test.each([
    ["which is no TOML", [carrier({ file: "/etc/stalwart/secrets/admin", content: UNKNOWN }), server()]],
    [
      "where the server is made anew anyway",
      [carrier({ content: UNKNOWN }), server({}, { labels: [carrier({})] })],
    ],
    [
      "in lists that are unknown as a whole",
      [carrier({}, { uploads: UNKNOWN_LIST, volumes: UNKNOWN_LIST }), server()],
    ],
    ["with an unknown path", [carrier({ file: UNKNOWN, content: TOML }), server()]],
    ["without a route", [carrier({ content: '[server]\nhostname = "queue.example.org"\n' }), server()]],
  ])("is no matter %s", async (_, resources) => {
    const outcome = await runStackPolicy(policy, resources);
    expect(outcome).toEqual({ ...PASSED, notApplicable: "nothing in the stack sets a route" });
  });
});

describe("route-change-restarts does not judge a command", () => {
  const line = (where: string): string =>
    `${where}: whether it writes routes and restarts Stalwart is unknown until the update`;
  test.each([
    ["whose body is unknown", [write(POST, { stdin: UNKNOWN })], line("stdin")],
    [
      "to the registry whose body is unknown",
      [command("r", { create: "curl -d @- http://s/jmap", stdin: UNKNOWN })],
      line("stdin"),
    ],
    [
      "one of whose variables is unknown, which may restart",
      [write(POST, { environment: { A: "1", THEN: UNKNOWN } })],
      line("environment.THEN"),
    ],
    [
      "whose environment is unknown as a whole",
      [write(POST, { environment: UNKNOWN_OBJECT })],
      line("environment"),
    ],
    [
      "whose update is unknown",
      [
        write(`${POST}; docker restart s`, {
          update: UNKNOWN,
          environment: { URL: "http://s/api/settings -d" },
        }),
      ],
      line("update"),
    ],
    [
      "that is followed by one that is unknown",
      [write(POST), command("next", { create: UNKNOWN }, { stdin: [write(POST)] })],
      line("create"),
    ],
  ])("%s", async (_, resources, notJudged) => {
    expect(await runStackPolicy(policy, resources)).toEqual({ violations: [], notJudged: [notJudged] });
  });

  test.each([
    ["restarts in the end whatever its body is", [write(`${POST}; docker restart s`, { stdin: UNKNOWN })]],
    [
      "is followed by a restart",
      [
        write(POST, { stdin: UNKNOWN }),
        command("next", { create: "docker restart s" }, { stdin: [write(POST)] }),
      ],
    ],
  ])("unless it %s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });
});

test.each([
  [
    "a command",
    [write(secret(`${POST} -u admin:opensesame`), { environment: { PASSWORD: secret("opensesame") } })],
  ],
  ["a body", [write(POST, { stdin: secret('[["queue.route.smarthost.auth.secret","opensesame"]]') })]],
  ["a file", [carrier({ content: secret('[queue.route.a]\ntype = "opensesame"\n') }), server()]],
])("route-change-restarts repeats no secret of %s", async (_, resources) => {
  const outcome = await runStackPolicy(
    policy,
    resources.map((one) => ({ ...one })),
  );
  expect(outcome.violations).toHaveLength(1);
  expect(outcome.violations[0]).not.toContain("opensesame");
});

describe("route-change-restarts is not concerned with a stack", () => {
  test.each([
    [
      "that has nothing of Stalwart",
      [container("web", { envs: ["A=1"] }), command("c", { create: "docker restart web", stdin: UNKNOWN })],
    ],
    [
      "that reads routes",
      [command("c", { create: "curl -s 'http://s/api/settings/list?prefix=queue.route'" })],
    ],
    [
      "that writes other settings",
      [write(POST, { stdin: '[{"type":"insert","values":[["server.allowed-ip.1","" ]]}]' })],
    ],
    [
      "that reads routes of the registry",
      [command("c", { create: `curl -d '{"methodCalls":[["x:MtaRoute/get",{},"0"]]}' http://s/jmap` })],
    ],
    [
      "that lists routes with Stalwart's command line",
      [command("c", { create: "stalwart-cli query MtaRoute" })],
    ],
    ["that has only a script for its end", [command("c", { delete: POST, stdin: BODY })]],
  ])("%s", async (_, resources) => {
    const outcome = await runStackPolicy(policy, resources);
    expect(outcome).toEqual({ ...PASSED, notApplicable: "nothing in the stack sets a route" });
  });
});
