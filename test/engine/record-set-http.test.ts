// Records that are written through a provider's HTTP API, a fake, by the engine itself.
import { afterAll, beforeAll, expect, test } from "vitest";

import { spaceshipAccount, textsAt } from "../fakes/dns-accounts.ts";
import { SettingsProject } from "./settings-project.ts";

const account = spaceshipAccount(["example.org"]);
let url: string;
beforeAll(async () => {
  url = await account.server.start();
});
afterAll(() => account.server.stop());

test(
  "a preview names the record that changes, a refresh sees a hand edit, and the secret is in no state",
  { timeout: 600_000 },
  async () => {
    const project = new SettingsProject(
      "/nowhere",
      `import { RecordSet } from "${import.meta.dirname}/../../provider/RecordSet.ts";
new RecordSet("records", args);`,
    );
    const secret = account.secrets.good;
    const args = (spf: string) =>
      project.args({
        writer: account.place(url),
        secret,
        servers: ["nobody.invalid"],
        records: { "example.org TXT": [spf], "example.org MX": ["10 mail.example.org."] },
      });
    try {
      await project.init();
      args("v=spf1 ip4:192.0.2.25 ~all");
      const up = await project.up();
      expect(up.status, up.output).toBe(0);
      args("v=spf1 ip4:192.0.2.26 ~all");
      const { output } = await project.preview();
      expect(output).toMatch(/example\.org TXT[^]*192\.0\.2\.25[^]*192\.0\.2\.26/);
      expect(output).not.toContain("10 mail.example.org");
      account.unset("example.org", "MX");
      const refresh = await project.pulumi("refresh", "--yes", "--skip-preview", "--diff", "--stack", "test");
      expect(refresh.output).toContain("example.org MX");
      expect((await project.up()).status).toBe(0);
      expect(account.lines()).toEqual([
        "example.org MX 10 mail.example.org.",
        "example.org TXT v=spf1 ip4:192.0.2.26 ~all",
      ]);
      const { output: exported } = await project.pulumi("stack", "export", "--stack", "test");
      expect(exported).toContain("spaceship");
      expect(exported).not.toContain(secret);
      expect((await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test")).status).toBe(0);
      expect(textsAt(account, "example.org")).toEqual([]);
      expect(account.lines()).toEqual(["example.org MX 10 mail.example.org."]);
    } finally {
      project.remove();
    }
  },
);
