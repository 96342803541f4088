import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { checkFiles, checkFolder, folderOf, placesOf, projectIn } from "./folder.ts";

const RELAY = "100.101.102.103";
const service = (lines: string) => `services:\n  mail:\n    image: mail:1\n${lines}`;
const ADDRESS = "no-hardcoded-tailnet-ip";

describe("variables", () => {
  test("come from .env beside the file, and a finding in one is at the line that uses it", async () => {
    const result = await checkFiles({
      "compose.yml": service("    environment:\n      RELAY: ${HOST}:25\n"),
      ".env": `HOST=${RELAY}\n`,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["compose.yml:5"]);
  });

  test("that have a default take it", async () => {
    const result = await checkFiles({
      "compose.yml": service(`    environment:\n      - RELAY=\${HOST:-${RELAY}}\n`),
    });
    expect(placesOf(result, ADDRESS)).toEqual(["compose.yml:5"]);
  });

  test("without any value are listed as not judged, with their line", async () => {
    const { notJudged, exitCode } = await checkFiles({
      "compose.yml": "services:\n  mail:\n    build: .\n    environment:\n      ZONE: ${HOST}\n",
    });
    expect(notJudged).toContainEqual(
      expect.objectContaining({ file: "compose.yml", line: 5, because: expect.stringContaining("${HOST}") }),
    );
    expect(exitCode).toBe(0);
  });

  test("without a value in an image leave it unjudged, and refuse nothing", async () => {
    const result = await checkFiles({ "compose.yml": "services:\n  mail:\n    image: mail:${TAG}\n" });
    expect(result.findings).toEqual([]);
    expect(result.notJudged).toContainEqual(
      expect.objectContaining({ line: 3, where: "services.mail.image", because: "${TAG} has no value here" }),
    );
  });

  test("of the shell play no part: a check says the same everywhere", async () => {
    process.env["CHECK_TEST_HOST"] = RELAY;
    const result = await checkFiles({
      "compose.yml": service("    environment:\n      RELAY: ${CHECK_TEST_HOST}\n"),
    });
    expect(placesOf(result, ADDRESS)).toEqual([]);
  });
});

describe("secrets", () => {
  const COMPOSE = service("    environment:\n      DB_PASSWORD: ${DB_PASSWORD}\n");
  const SECRETS = "secrets-not-in-plain-sight";
  const inRepository = (files: Record<string, string>) => {
    const folder = folderOf(files);
    mkdirSync(join(folder, ".git"));
    return checkFolder(folder);
  };

  test("may stand in an env file that git ignores", async () => {
    const result = await inRepository({
      "compose.yml": COMPOSE,
      ".env": "DB_PASSWORD=kR7w0qZ2mXcT\n",
      ".gitignore": ".env\n",
    });
    expect(placesOf(result, SECRETS)).toEqual([]);
  });

  test("are refused in an env file that git keeps", async () => {
    const result = await inRepository({ "compose.yml": COMPOSE, ".env": "DB_PASSWORD=kR7w0qZ2mXcT\n" });
    expect(placesOf(result, SECRETS)).toEqual(["compose.yml:5"]);
  });

  test("are refused in the file itself, also as a default", async () => {
    const text = service(
      "    environment:\n      - DB_PASSWORD=${PW:-kR7w0qZ2mXcT}\n      - API_TOKEN=kR7w0qZ2mXcT\n",
    );
    expect(placesOf(await inRepository({ "compose.yml": text }), SECRETS)).toEqual([
      "compose.yml:5",
      "compose.yml:6",
    ]);
  });

  test("are refused in a file under secrets that git keeps, and fine in one that it ignores", async () => {
    const text = `${service("    secrets: [pw]\n")}secrets:\n  pw:\n    file: secrets/pw\n`;
    const files = { "compose.yml": text, "secrets/pw": "kR7w0qZ2mXcT" };
    expect(placesOf(await inRepository(files), SECRETS)).toEqual(["secrets/pw:1"]);
    expect(placesOf(await inRepository({ ...files, ".gitignore": "secrets/\n" }), SECRETS)).toEqual([]);
  });
});

describe("env_file", () => {
  test("gives its variables, with a finding in its own line", async () => {
    const result = await checkFiles({
      "compose.yml": service("    env_file: [mail/a.env]\n"),
      "mail/a.env": `# relay\nRELAY=${RELAY}\n`,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["mail/a.env:2"]);
  });

  test("is overridden by a later one, and both by environment", () => {
    const { container } = projectIn({
      "compose.yml": service("    env_file: [a.env, b.env]\n    environment: { C: own }\n"),
      "a.env": "A=a\nB=a\nC=a\n",
      "b.env": "B=b\nC=b\n",
    });
    expect(container("mail").inputs["envs"]).toEqual(["A=a", "B=b", "C=own"]);
  });

  test("that is not there is listed, unless it need not be", async () => {
    const gone = await checkFiles({ "compose.yml": service("    env_file: gone.env\n") });
    expect(gone.notJudged).toContainEqual(expect.objectContaining({ file: "compose.yml", line: 4 }));
    const optional = service("    env_file:\n      - path: gone.env\n        required: false\n");
    const { notJudged } = await checkFiles({ "compose.yml": optional });
    expect(notJudged.filter(({ because }) => because.includes("gone.env"))).toEqual([]);
  });
});

describe("extends", () => {
  test("takes what the other service has, from its own file and line", async () => {
    const result = await checkFiles({
      "compose.yml":
        "services:\n  mail:\n    extends:\n      file: base/common.yml\n      service: base\n    image: mail:1\n",
      "base/common.yml": `services:\n  base:\n    environment:\n      RELAY: ${RELAY}\n`,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["base/common.yml:4"]);
  });

  test("goes through several services, the nearest has precedence, and paths are of their file", () => {
    const { container } = projectIn({
      "compose.yml":
        "services:\n  a:\n    extends: b\n    environment: { X: a }\n  b:\n    extends: { file: deep/c.yml, service: c }\n    environment: { X: b, Y: b }\n",
      "deep/c.yml":
        "services:\n  c:\n    image: c:1\n    env_file: c.env\n    environment: [X=c, Y=c, Z=c]\n",
      "deep/c.env": "W=file\n",
    });
    const { inputs } = container("a");
    expect(inputs["image"]).toBe("c:1");
    expect(inputs["envs"]).toEqual(["W=file", "X=a", "Y=b", "Z=c"]);
  });

  test("in a circle is an error with its line", async () => {
    const { problems, exitCode } = await checkFiles({
      "compose.yml": "services:\n  a:\n    extends: b\n  b:\n    extends: a\n    image: x\n",
    });
    expect(problems).toMatchObject([
      { file: "compose.yml", message: expect.stringContaining("extends itself") },
    ]);
    expect(exitCode).toBe(1);
  });

  test("of what is not there is not judged", async () => {
    const { notJudged } = await checkFiles({
      "compose.yml": "services:\n  a:\n    image: a:1\n    extends: { file: gone.yml, service: a }\n",
    });
    expect(notJudged).toContainEqual(
      expect.objectContaining({ line: 4, because: expect.stringContaining("gone.yml") }),
    );
  });
});

describe("profiles", () => {
  const text = (first: string, second: string) =>
    ["one", "two"]
      .map((name, at) => `  ${name}:\n    image: caddy:2\n    network_mode: host\n${[first, second][at]}`)
      .join("")
      .replace(/^/, "services:\n");
  const conflicts = { "compose.yml": text("    profiles: [blue]\n", "    profiles: [green]\n") };

  test("are judged each by itself, with what has none", () => {
    const { stacks } = projectIn({
      "compose.yml": `${text("    profiles: [blue]\n", "    profiles: [green]\n")}  db:\n    image: db:1\n`,
    });
    expect(stacks.map(({ resources }) => resources.map(({ name }) => name))).toEqual([
      ["one", "db"],
      ["two", "db"],
    ]);
  });

  test("that are named are judged together, and no other", async () => {
    const both = await checkFiles(conflicts, "--profile", "blue", "--profile", "green");
    const one = await checkFiles(conflicts, "--profile", "blue");
    expect(placesOf(both, "image-pinned-by-digest")).toEqual(["compose.yml:3", "compose.yml:7"]);
    expect(placesOf(one, "image-pinned-by-digest")).toEqual(["compose.yml:3"]);
  });

  test("of COMPOSE_PROFILES in .env are the ones that run", async () => {
    const result = await checkFiles({ ...conflicts, ".env": "COMPOSE_PROFILES=green\n" });
    expect(placesOf(result, "image-pinned-by-digest")).toEqual(["compose.yml:7"]);
  });
});

describe("several files", () => {
  test("an override goes over the file that it lies beside", () => {
    const { container } = projectIn(
      {
        "compose.yml": service("    environment: [A=1, B=1]\n    ports: ['25:25']\n    command: [old]\n"),
        "compose.override.yml":
          "services:\n  mail:\n    environment: { B: 2 }\n    ports: ['587:587']\n    command: [new]\n",
      },
      ["compose.yml", "compose.override.yml"],
    );
    const { inputs } = container("mail");
    expect(inputs["envs"]).toEqual(["A=1", "B=2"]);
    expect(inputs["ports"]).toMatchObject([{ internal: 25 }, { internal: 587 }]);
    expect(inputs["command"]).toEqual(["new"]);
  });

  test("COMPOSE_FILE of .env says which files make the project, wherever they lie", async () => {
    const files = {
      "mail.yml": service("    environment:\n      RELAY: mailbox:587\n"),
      "prod/over.yml": `services:\n  mail:\n    environment:\n      RELAY: ${RELAY}:587\n`,
      "compose.yml": "services:\n  web:\n    image: web:1\n",
    };
    const judged = async (env: string) => placesOf(await checkFiles({ ...files, ".env": env }), ADDRESS);
    expect(await judged("COMPOSE_FILE=mail.yml:prod/over.yml\n")).toEqual(["prod/over.yml:4"]);
    const split = "COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=mail.yml;prod/over.yml\n";
    expect(await judged(split)).toEqual(["prod/over.yml:4"]);
    expect(await judged("COMPOSE_FILE=prod/over.yml:mail.yml\n")).toEqual([]);
    expect(await judged("COMPOSE_FILE=mail.yml:gone.yml\n")).toEqual([]);
  });

  test("!reset takes away and !override replaces", () => {
    const { container } = projectIn(
      {
        "compose.yml": service("    ports: ['25:25']\n    dns: [192.0.2.1]\n    user: '7'\n"),
        "compose.override.yml":
          "services:\n  mail:\n    ports: !override ['587:587']\n    dns: !reset []\n    user: !reset null\n",
      },
      ["compose.yml", "compose.override.yml"],
    );
    const { inputs } = container("mail");
    expect(inputs["ports"]).toMatchObject([{ internal: 587 }]);
    expect(inputs["dns"]).toBeUndefined();
    expect(inputs["user"]).toBeUndefined();
  });

  test("a file whose services say all is a project of its own, and one that only adds goes over the first", async () => {
    const whole = `services:\n  other:\n    image: other:1\n    environment:\n      RELAY: ${RELAY}\n`;
    const part = `services:\n  mail:\n    environment:\n      RELAY: ${RELAY}\n`;
    const result = await checkFiles({
      "docker-compose.yml": service(""),
      "docker-compose.other.yml": whole,
      "docker-compose.prod.yml": part,
    });
    expect(placesOf(result, ADDRESS)).toEqual(["docker-compose.other.yml:5", "docker-compose.prod.yml:4"]);
    expect(placesOf(result, "image-pinned-by-digest")).toEqual([
      "docker-compose.other.yml:3",
      "docker-compose.yml:3",
    ]);
  });

  test("include brings services of another folder along, with the variables of that folder", async () => {
    const { container } = projectIn({
      "compose.yml": "include:\n  - db/compose.yml\nservices:\n  mail:\n    image: mail:1\n",
      "db/compose.yml": "services:\n  db:\n    image: db:${TAG}\n",
      "db/.env": "TAG=17\n",
    });
    expect(container("db").inputs["image"]).toBe("db:17");
  });

  test("anchors and merge keys are followed to the line where a value is written", async () => {
    const result = await checkFiles({
      "compose.yml": `x-common: &common\n  environment: &env\n    RELAY: ${RELAY}\nservices:\n  a:\n    <<: *common\n    image: a:1\n  b:\n    image: b:1\n    environment:\n      <<: *env\n      OTHER: x\n`,
    });
    // Once for each of the services that have it: a baseline that knows one hides no other.
    expect(placesOf(result, ADDRESS)).toEqual(["compose.yml:3", "compose.yml:3"]);
  });

  test("a capability that is no text does not end the check", async () => {
    const { problems } = await checkFiles({
      "compose.yml":
        "services:\n  a:\n    image: a:1\n    cap_add: [NET_RAW, {}, null]\n    cap_drop: [{}]\n",
    });
    expect(problems).toEqual([]);
  });

  test("a file that is no YAML is an error with its line, and the others are judged", async () => {
    const result = await checkFiles({
      "a/compose.yml": "services:\n  a:\n    image: [x\n  b: {\n",
      "b/compose.yml": service(""),
    });
    expect(result.problems).toMatchObject([
      { file: "a/compose.yml", message: expect.stringMatching(/^no YAML/) },
    ]);
    expect(placesOf(result, "image-pinned-by-digest")).toEqual(["b/compose.yml:3"]);
    expect(result.exitCode).toBe(1);
  });
});
