// Records that are written through a provider's HTTP API, a fake, by the engine itself and by a
// process that is killed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { RecordSetResource, type RecordSetState } from "../../provider/dns/record-set.ts";
import { spaceshipAccount, textsAt } from "../fakes/dns-accounts.ts";
import { recordsProject } from "./settings-project.ts";

const account = spaceshipAccount(["example.org"]);
let url: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-records-"));
  // For the plugin, which the engine starts.
  vi.stubEnv("TAILWART_STATE", folder);
  url = await account.server.start();
});
afterAll(() => {
  account.server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test(
  "a preview names the record that changes, a refresh sees a hand edit, and the secret is in no state",
  { timeout: 600_000 },
  async () => {
    const project = recordsProject();
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
      expect(output).toMatch(
        /~ example\.org TXT: \[\n.*~ \[0\]: "v=spf1 ip4:192\.0\.2\.25 ~all" => "v=spf1 ip4:192/,
      );
      expect(output).not.toMatch(/[~+-] .*(?:example\.org MX|10 mail)/);
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

/** Deploys in a process of its own, which is killed as it is about to send its nth write. */
async function killedAt(nth: number, state: RecordSetState, previous: RecordSetState): Promise<unknown> {
  const program = `
    import { RecordSetResource } from ${JSON.stringify(join(import.meta.dirname, "../../provider/dns/record-set.ts"))};
    const { state, previous, folder } = JSON.parse(process.env.DEPLOY);
    const send = globalThis.fetch;
    let writes = 0;
    globalThis.fetch = (address, init) => {
      if (init.method !== "GET" && ++writes === ${nth}) process.kill(process.pid, "SIGKILL");
      return send(address, init);
    };
    await new RecordSetResource({ folder, patience: 0 }).apply(state, previous, () => {});`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    env: { ...process.env, DEPLOY: JSON.stringify({ state, previous, folder }) },
    stdio: "ignore",
  });
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return signal;
}

test.each([1, 2, 3, 4])(
  "a deploy that is killed before its write %i is finished by the next one",
  async (nth) => {
    const resource = new RecordSetResource({ folder, patience: 0 });
    const stateOf = (spf: string, preference: number): RecordSetState => ({
      ...{ writer: account.place(url), secret: account.secrets.good, adopt: [], servers: ["nobody.invalid"] },
      records: { "example.org TXT": [spf], "example.org MX": [`${preference} mail.example.org.`] },
      removeOnDestroy: true,
    });
    const [olds, news] = [stateOf("v=spf1 mx ~all", 10), stateOf("v=spf1 ~all", 20)];
    await resource.apply(olds, olds, () => {});
    expect(await killedAt(nth, news, olds)).toBe("SIGKILL");
    expect(textsAt(account, "example.org").length).toBe(nth === 3 ? 0 : 1);
    await resource.apply(news, olds, () => {});
    expect(account.lines()).toEqual(["example.org MX 20 mail.example.org.", "example.org TXT v=spf1 ~all"]);
    await resource.delete(news, () => {});
  },
);
