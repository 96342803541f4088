/** Rows that name other rows through the real Pulumi engine, against the fake of Stalwart's registry. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { parseSettings } from "../../lib/settings/parse.ts";
import { toRegistryObjects } from "../../lib/settings/registry.ts";
import type { FakeRegistry } from "../fakes/fake-registry.ts";
import { RegistryProject } from "./registry-project.ts";

const SECRET = "/etc/stalwart/secrets/dns";
const LETSENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const ZEROSSL = "https://acme.zerossl.com/v2/DV90";

let project: RegistryProject;
let fake: FakeRegistry;

beforeAll(async () => {
  project = await RegistryProject.start(SECRET);
  ({ fake } = project);
});

afterAll(() => project?.remove());

function program(ca: string): void {
  const settings = parseSettings({
    hostname: "mail.lab.test",
    tailnetDomain: "tail.test",
    listeners: [{ name: "smtp", protocol: "smtp", port: 25 }],
    postgres: { host: "db.tail.test" },
    domains: [{ name: "lab.test", publishRecords: ["dkim"] }],
    acme: [
      { id: "ca", directory: ca, contact: ["root@lab.test"], challenge: "dns-01", names: ["*.lab.test"] },
    ],
    dnsProvider: { type: "spaceship", apiKey: "key", secretFile: SECRET },
  });
  project.args({
    deployed: { line: "0.16", dataStore: "db.tail.test:5432/stalwart" },
    target: { dockerHost: "unix:///none", container: "stalwart", api: project.api },
    objects: toRegistryObjects(settings),
  });
}

test.runIf(process.env["TAILWART_FULL"])(
  "a domain's CA is previewed by its directory, is moved, reads back unchanged, and is seen when it is edited by hand",
  async () => {
    program(LETSENCRYPT);
    const first = await project.up();
    expect(first.status, first.output).toBe(0);

    program(ZEROSSL);
    const preview = await project.preview();
    expect(preview.output).toMatch(
      /#ref\s*: "AcmeProvider\/https:\/\/acme-v02\S+" => "AcmeProvider\/https:\/\/acme\.zerossl/,
    );
    expect((await project.up()).status).toBe(0);
    const again = await project.up("--expect-no-changes", "--refresh");
    expect(again.status, again.output).toBe(0);
    expect(fake.inForce("AcmeProvider").map((row) => row["directory"])).toEqual([ZEROSSL]);

    fake.edit("Domain", () => true, { certificateManagement: { "@type": "Manual" } });
    const seen = await project.pulumi("refresh", "--preview-only", "--diff", "--stack", "test");
    expect(seen.output).toMatch(/@type\s*: "Automatic" => "Manual"/);
    expect((await project.up("--refresh")).status).toBe(0);
    expect(fake.inForce("Domain")).toMatchObject([{ certificateManagement: { "@type": "Automatic" } }]);
  },
);
