/**
 * A server with everything that a stack may have, through the real Pulumi engine, against the fake
 * of Stalwart's registry.
 */
import { afterAll, beforeAll, expect, test } from "vitest";

import { parseSettings } from "../../lib/desired-state/parse.ts";
import { toAccounts } from "../../lib/desired-state/keys/principals.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { FakeRegistry } from "../fakes/fake-registry.ts";
import { RegistryProject } from "./registry-project.ts";

const SECRET = "/etc/stalwart/secrets/dns";
const S3_SECRET = "/etc/stalwart/secrets/s3";
const HASH = `$2b$12$${"a".repeat(53)}`;
const LETSENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const ZEROSSL = "https://acme.zerossl.com/v2/DV90";

let project: RegistryProject;
let fake: FakeRegistry;

beforeAll(async () => {
  project = await RegistryProject.start(SECRET, S3_SECRET);
  ({ fake } = project);
});

afterAll(() => project?.remove());

function program(ca: string): void {
  const settings = parseSettings({
    hostname: "mail.lab.test",
    tailnetDomain: "tail.test",
    listeners: [{ name: "smtp", protocol: "smtp", port: 25 }],
    postgres: { host: "db.tail.test" },
    domains: [
      { name: "lab.test", publishRecords: ["dkim"], catchAll: "bob@lab.test" },
      { name: "second.test" },
    ],
    accounts: [
      { name: "alice", emails: ["alice@lab.test", "post@second.test"], quota: "10G" },
      { name: "bob", emails: ["bob@lab.test"] },
      { name: "carol@second.test", emails: ["carol@second.test"] },
    ],
    lists: [{ address: "team@second.test", recipients: ["alice@lab.test", "dave@elsewhere.test"] }],
    blobStore: { type: "s3", bucket: "mail", endpoint: "https://s3.tail.test", accessKey: "key" },
    inMemoryStore: { type: "redis", host: "redis.tail.test" },
    acme: [
      { id: "ca", directory: ca, contact: ["root@lab.test"], challenge: "dns-01", names: ["*.lab.test"] },
    ],
    dnsProvider: { type: "spaceship", apiKey: "key", secretFile: SECRET },
  });
  project.args({
    deployed: { line: "0.16", dataStore: "db.tail.test:5432/stalwart" },
    target: { dockerHost: "unix:///none", container: "stalwart", api: project.api },
    objects: toRegistryObjects(settings),
    accounts: Object.fromEntries(
      Object.entries(toAccounts(settings)).map(([name, account]) => [name, { ...account, secret: HASH }]),
    ),
  });
}

const writes = () =>
  fake.requests.filter((request) => request.startsWith("set ") && request !== "set Action");

test.runIf(process.env["TAILWART_FULL"])(
  "is deployed once, and a second up writes nothing; a domain's CA is previewed by its directory, is moved, reads back unchanged, and is seen when it is edited by hand",
  async () => {
    program(LETSENCRYPT);
    const first = await project.up();
    expect(first.status, first.output).toBe(0);
    expect(first.output).not.toContain(HASH);
    expect(fake.inForce("Account").map((row) => row["name"])).toEqual(["alice", "bob", "carol"]);
    fake.restart();
    expect(fake.inForce("InMemoryStore")).toMatchObject([{ "@type": "Redis" }]);
    fake.requests.length = 0;
    for (const more of [[], ["--refresh"]]) {
      const same = await project.up("--expect-no-changes", ...more);
      expect(same.status, same.output).toBe(0);
    }
    expect(writes()).toEqual([]);

    program(ZEROSSL);
    const preview = await project.preview();
    expect(preview.output).toMatch(
      /#ref\s*: "AcmeProvider\/https:\/\/acme-v02\S+" => "AcmeProvider\/https:\/\/acme\.zerossl/,
    );
    expect((await project.up()).status).toBe(0);
    const again = await project.up("--expect-no-changes", "--refresh");
    expect(again.status, again.output).toBe(0);
    expect(fake.inForce("AcmeProvider").map((row) => row["directory"])).toEqual([ZEROSSL]);

    fake.edit("Domain", ({ name }) => name === "lab.test", { certificateManagement: { "@type": "Manual" } });
    const seen = await project.pulumi("refresh", "--preview-only", "--diff", "--stack", "test");
    expect(seen.output).toMatch(/@type\s*: "Automatic" => "Manual"/);
    expect((await project.up("--refresh")).status).toBe(0);
    const own = fake.inForce("Domain").find(({ name }) => name === "lab.test");
    expect(own).toMatchObject({ certificateManagement: { "@type": "Automatic" } });
  },
);
