import { describe, expect, test } from "vitest";

import { isDeployable, secretsOf, withDummies } from "../../../../cli/review/dummies.ts";
import { PROJECT } from "../../../../cli/parts/pulumi-cli.ts";

const DUMMY = "bm8gc2VjcmV0";
const DEPLOYED = `encryptionsalt: v1:abc=:def
config:
  # Stays as it is written.
  shop:mode: 0400
  shop:on: yes
  tailwart:postgresPassword:
    secure: v1:AAAA
  tailwart:registryPasswords:
    ghcr.io:
      secure: v1:BBBB
  shop:list: [1, { "a b": { secure: v1:CCCC }, "c": "true" }]
`;

describe("a stack file that holds secrets", () => {
  test("is given a dummy for each, also for those within a value", () => {
    expect(withDummies(DEPLOYED, []).secrets).toEqual([
      `tailwart:postgresPassword=${DUMMY}`,
      `tailwart:registryPasswords["ghcr.io"]=${DUMMY}`,
      `shop:list[1]["a b"]=${DUMMY}`,
    ]);
  });

  test("loses what is encrypted and what opens it, and keeps the rest as it is written", () => {
    const file = `secretsprovider: awskms://alias/x\nencryptedkey: abc\nenvironment: [prod]\n${DEPLOYED}`;
    const { text } = withDummies(file, []);
    expect(text).not.toMatch(/v1:|awskms|encryptedkey|encryptionsalt|environment/);
    expect(text).toContain("  # Stays as it is written.\n  shop:mode: 0400\n  shop:on: yes\n");
    expect(text).toContain('"c": "true"');
    expect(text).not.toContain("postgresPassword");
  });

  test("has a secret that is missing there missed, since it is what is deployed", () => {
    const { secrets } = withDummies(DEPLOYED, ["postgresPassword", "dnsSecret"]);
    expect(secrets.join()).not.toContain("dnsSecret");
  });

  test("has it made up where an environment of Pulumi's may hold it", () => {
    const { secrets } = withDummies(`environment: [prod]\n${DEPLOYED}`, ["dnsSecret"]);
    expect(secrets).toContain(`tailwart:dnsSecret=${DUMMY}`);
  });

  test("with a map of secrets that is encrypted as a whole gets one for each registry", () => {
    const file = `config:
  tailwart:registries: [{ address: ghcr.io }]
  tailwart:registryPasswords: { secure: v1:AAAA }
`;
    expect(withDummies(file, []).secrets).toEqual([
      `tailwart:registryPasswords=${JSON.stringify({ "ghcr.io": DUMMY })}`,
    ]);
  });
});

describe("a stack file that holds none", () => {
  test("has those made up that the program requires; the smarthost's where it has a user", () => {
    const wanted = ["postgresPassword", "relayPassword"];
    const relay = (user: string) => `config:\n  tailwart:relay: { host: mailbox${user} }\n`;
    expect(withDummies(relay(""), wanted).secrets).toEqual([`tailwart:postgresPassword=${DUMMY}`]);
    expect(withDummies(relay(", username: app"), wanted).secrets).toHaveLength(2);
  });

  test("has no password made up for a Redis that asks for none", () => {
    const redis = (user: string) =>
      `config:\n  tailwart:settings: { inMemoryStore: { type: redis, host: redis${user} } }\n`;
    expect(withDummies(redis(""), ["inMemoryStoreSecret"]).secrets).toEqual([]);
    expect(withDummies(redis(", username: app"), ["inMemoryStoreSecret"]).secrets).toHaveLength(1);
  });

  test.each(["", "config:\n", "# nothing\n"])("and says nothing else is no mistake: %j", (text) => {
    expect(withDummies(text, ["postgresPassword"]).secrets).toEqual([`tailwart:postgresPassword=${DUMMY}`]);
    expect(isDeployable(text)).toBe(false);
  });
});

test("a file is deployable when a secret is in it, or what opens one", () => {
  expect(isDeployable(DEPLOYED)).toBe(true);
  expect(isDeployable("secretsprovider: passphrase\n")).toBe(true);
  expect(isDeployable("config: { a:b: { c: [{ secure: x }] } }")).toBe(true);
});

test("the secrets are those that the program's own version takes; another program's are unknown", async () => {
  expect(await secretsOf(PROJECT)).toContain("postgresPassword");
  expect(await secretsOf("/nowhere")).toEqual([]);
});
