import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ensure } from "../../tools/ensure.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const SDK = join(ROOT, "node_modules/@pulumi");

interface Property {
  $ref?: string;
  items?: Property;
  secret?: boolean;
}
interface Schema {
  name: string;
  version: string;
  provider: { inputProperties?: Record<string, Property> };
  resources: Record<
    string,
    { inputProperties?: Record<string, Property>; properties?: Record<string, Property> }
  >;
  types: Record<string, { properties: Record<string, Property> }>;
}

/**
 * What the stand-ins leave out on purpose; a program that uses it is refused with the property's
 * name.
 */
const LEFT_OUT: Record<string, string[]> = {
  "command:local:Command": ["archivePaths", "assetPaths", "archive", "assets"],
  tailscale: ["audience", "identityToken", "identityTokenEnvironmentVariableName"],
};

/**
 * A class of an installed SDK: its type token and the names that its constructor sends to the
 * engine.
 */
function sdkClass(file: string): { token: string; inputs: string[]; all: string[] } {
  const text = readFileSync(join(SDK, file), "utf8");
  const token = /__pulumiType = '([^']+)'/.exec(text)?.[1];
  const sent = [...text.matchAll(/resourceInputs\["(\w+)"\] = (.*)/g)].map(([, name = "", value = ""]) => ({
    name,
    value,
  }));
  if (token === undefined || sent.length === 0) throw new Error(`${file} holds no resource class`);
  return {
    token,
    inputs: [...new Set(sent.filter(({ value }) => value.includes("args?")).map(({ name }) => name))],
    all: [...new Set(sent.map(({ name }) => name))],
  };
}

/** The fields of an interface in a generated .d.ts. */
function interfaceFields(file: string, name: string): string[] {
  const body = new RegExp(`export interface ${name} \\{([^]*?)\\n\\}`).exec(
    readFileSync(join(SDK, file), "utf8"),
  )?.[1];
  if (body === undefined) throw new Error(`${file} has no interface ${name}`);
  return [...body.matchAll(/^ {4}(\w+)\??: /gm)].map(([, field = ""]) => field);
}

/** Every SDK class that the program imports, such as "docker/container.js". */
const used = [
  ...new Set(
    globSync(["index.ts", "{components,config,lib}/**/*.ts"], { cwd: ROOT }).flatMap((file) =>
      [
        ...readFileSync(join(ROOT, file), "utf8").matchAll(
          /^import \{[^}]*\} from "@pulumi\/((?:docker|random|command|tailscale)\/[\w/]+\.js)"/gm,
        ),
      ].map(([, module = ""]) => module),
    ),
  ),
].toSorted();

const schemas: Record<string, Schema> = {};
beforeAll(async () => {
  const { programs, env } = await ensure(["engine"], { quiet: true });
  for (const name of ["docker", "random", "command", "tailscale"]) {
    const file = programs[`pulumi-resource-${name}`] as string;
    const text = execFileSync(programs["pulumi"] as string, ["package", "get-schema", file], {
      env: { ...process.env, ...env },
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    schemas[name] = JSON.parse(text) as Schema;
  }
});

test("the program's imports were found: containers, the policy file, keys, commands and passwords are among them", () => {
  expect(used).toEqual(
    expect.arrayContaining([
      "command/local/command.js",
      "docker/container.js",
      "random/randomPassword.js",
      "tailscale/acl.js",
      "tailscale/tailnetKey.js",
    ]),
  );
});

describe("each plugin answers the token and the property names of the SDK class", () => {
  test.each(used.filter((file) => !file.endsWith("/provider.js")))("%s", (file) => {
    const { token, inputs, all } = sdkClass(file);
    const resource = schemas[token.split(":")[0] as string]?.resources[token];
    expect(resource, `the plugin has no resource ${token}`).toBeDefined();
    const left = LEFT_OUT[token] ?? [];
    const kept = (names: string[]): string[] => names.filter((name) => !left.includes(name)).toSorted();
    expect(Object.keys(resource?.inputProperties ?? {}).toSorted()).toEqual(kept(inputs));
    expect(Object.keys(resource?.properties ?? {}).toSorted()).toEqual(kept(all));
  });

  test.each(["docker", "random", "tailscale"])("the configuration of %s", (name) => {
    const text = readFileSync(join(SDK, name, "provider.js"), "utf8");
    const sent = [...text.matchAll(/resourceInputs\["(\w+)"\] = /g)].map(([, property = ""]) => property);
    const wanted = sent.filter((property) => !(LEFT_OUT[name] ?? []).includes(property));
    expect(Object.keys(schemas[name]?.provider.inputProperties ?? {}).toSorted()).toEqual(wanted.toSorted());
  });

  test.each(["docker", "random", "command", "tailscale"])("%s has the version of the npm package", (name) => {
    const { version } = JSON.parse(readFileSync(join(SDK, name, "package.json"), "utf8")) as {
      version: string;
    };
    expect(schemas[name]?.version).toBe(version);
  });
});

/**
 * Objects inside a container, a network and the docker provider: property → interface of the SDK.
 */
const nested: [resource: string, property: string, type: string][] = [
  ["docker:index/container:Container", "capabilities", "ContainerCapabilities"],
  ["docker:index/container:Container", "devices", "ContainerDevice"],
  ["docker:index/container:Container", "healthcheck", "ContainerHealthcheck"],
  ["docker:index/container:Container", "hosts", "ContainerHost"],
  ["docker:index/container:Container", "labels", "ContainerLabel"],
  ["docker:index/container:Container", "mounts", "ContainerMount"],
  ["docker:index/container:Container", "networksAdvanced", "ContainerNetworksAdvanced"],
  ["docker:index/container:Container", "ports", "ContainerPort"],
  ["docker:index/container:Container", "ulimits", "ContainerUlimit"],
  ["docker:index/container:Container", "uploads", "ContainerUpload"],
  ["docker:index/container:Container", "volumes", "ContainerVolume"],
  ["docker:index/network:Network", "ipamConfigs", "NetworkIpamConfig"],
];

describe("objects inside a Docker resource have the SDK's field names", () => {
  test.each(nested)("%s %s", (token, property, type) => {
    const found = schemas["docker"]?.resources[token]?.inputProperties?.[property];
    const ref = found?.$ref ?? found?.items?.$ref;
    expect(ref, `${property} is no object`).toMatch(/^#\/types\//);
    const fields =
      schemas["docker"]?.types[decodeURIComponent((ref as string).slice("#/types/".length))]?.properties;
    expect(Object.keys(fields ?? {}).toSorted()).toEqual(
      interfaceFields("docker/types/input.d.ts", type).toSorted(),
    );
  });

  test("a list of one stays a list: registryAuth", () => {
    expect(schemas["docker"]?.provider.inputProperties?.["registryAuth"]?.items?.$ref).toBeDefined();
  });
});

test("what must not be shown is marked secret: keys, passwords, credentials", () => {
  const { random, tailscale } = schemas;
  expect(
    random?.resources["random:index/randomPassword:RandomPassword"]?.properties?.["result"]?.secret,
  ).toBe(true);
  expect(
    random?.resources["random:index/randomPassword:RandomPassword"]?.properties?.["bcryptHash"]?.secret,
  ).toBe(true);
  expect(tailscale?.resources["tailscale:index/tailnetKey:TailnetKey"]?.properties?.["key"]?.secret).toBe(
    true,
  );
  expect(tailscale?.provider.inputProperties?.["apiKey"]?.secret).toBe(true);
});
