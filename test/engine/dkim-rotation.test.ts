// Which key signs, by the real engine and plugin, with the zone in a real DNS server, Knot: what
// is not published signs nothing, and no step of a rotation is left out.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { DkimRotationResource, type DkimRotationState } from "../../provider/dns/dkim-rotation.ts";
import { Knot } from "./knot.ts";
import { SettingsProject } from "./settings-project.ts";

const DOMAINS = ["example.org", "example.net"];
let knot: Knot;
let project: SettingsProject;

beforeAll(async () => {
  knot = await Knot.start(Object.fromEntries(DOMAINS.map((zone) => [zone, ""])));
  project = new SettingsProject(
    "/nowhere",
    `import { DkimKey } from "${import.meta.dirname}/../../provider/DkimKey.ts";
import { DkimRotation } from "${import.meta.dirname}/../../provider/DkimRotation.ts";
const keys = Object.fromEntries(Object.keys(args.uses).map((selector) => [selector,
  new DkimKey(selector, { selector, ...(args.ed25519 === selector && { algorithm: "ed25519" }) })]));
const records = Object.fromEntries(Object.entries(keys).map(([selector, key]) => [selector, key.record]));
const { ed25519: _, ...rest } = args;
new DkimRotation("dkim", { ...rest, records });
export { records };
export const privateKeys = Object.fromEntries(Object.entries(keys).map(([selector, key]) => [selector, key.privateKey]));
`,
  );
  await project.init();
});
afterAll(async () => {
  project?.remove();
  await knot?.stop();
});

/** As the owner of the zones does by hand. */
const publish = (zone: string, selector: string, record: string) =>
  knot.edit(zone, [
    "zone-set",
    `${selector}._domainkey`,
    "5",
    "TXT",
    `"${record.slice(0, 255)}" "${record.slice(255)}"`,
  ]);

type Uses = DkimRotationState["uses"];
const args = (uses: Uses, ed25519?: string) =>
  project.args({ uses, domains: DOMAINS, servers: [knot.address], ...(ed25519 && { ed25519 }) });
const output = async (name: string, ...flags: string[]) =>
  JSON.parse(
    (await project.pulumi("stack", "output", name, "--json", "--stack", "test", ...flags)).output,
  ) as Record<string, string>;

describe("a rotation", { timeout: 600_000 }, () => {
  let records: Record<string, string>;

  test("begins with keys of 2048 bits, whose private part is encrypted in the state and shown to nobody", async () => {
    args({ one: "publish" });
    const { status, output: said } = await project.up();
    expect(status, said).toBe(0);
    records = await output("records");
    expect(records["one"]).toMatch(/^v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A/);
    const { output: shown } = await project.pulumi("stack", "output", "--json", "--stack", "test");
    const { output: state } = await project.pulumi("stack", "export", "--stack", "test");
    expect(shown + state + said).not.toContain("PRIVATE KEY");
    expect((await output("privateKeys", "--show-secrets"))["one"]).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test("lets no key sign that a domain's server does not show, and says where and what", async () => {
    publish("example.org", "one", records["one"] ?? "");
    args({ one: "sign" });
    const quick = new DkimRotationResource(0);
    const desired = { uses: { one: "sign" as const }, records, domains: DOMAINS, servers: [knot.address] };
    const refusal = await quick.apply(desired, undefined, () => undefined).catch(String);
    expect(refusal).toContain(`one._domainkey.example.net: ${knot.address} has no TXT record`);
    expect(refusal).not.toContain("one._domainkey.example.org:");
    expect(refusal).toContain(records["one"]);

    publish("example.net", "one", (records["one"] ?? "").replace("p=MIIB", "p=MIIC"));
    expect(await quick.apply(desired, undefined, () => undefined).catch(String)).toContain(
      "has a record of another key",
    );
    publish("example.net", "one", records["one"] ?? "");
    expect(await quick.apply(desired, undefined, () => undefined).catch(String)).toContain(
      "has 2 TXT records",
    );
    knot.edit("example.net", ["zone-unset", "one._domainkey", "TXT"]);
    publish("example.net", "one", records["one"] ?? "");
    const { status, output: said } = await project.up();
    expect(status, said).toBe(0);
    expect((await output("records"))["one"]).toBe(records["one"]);
  });

  test("refuses a step that is left out, in the preview and in an up that has none, and keeps the key", async () => {
    args({ one: "retire", two: "sign" });
    const preview = await project.preview();
    expect(preview.status).not.toBe(0);
    expect(preview.output).toContain("is new, and another key signs; accepts publish first");
    args({});
    const up = await project.up();
    expect(up.status).not.toBe(0);
    expect(up.output).toContain("signs mail that is under way; accepts retire");
    const state = (await project.pulumi("stack", "export", "--stack", "test")).output;
    expect(state).toContain(records["one"]);
  });

  test("goes on where it was cut off: the key that an up has made stays, and signs once it is published", async () => {
    args({ one: "sign", two: "publish" });
    const cut = await project.up("--target", "urn:pulumi:test::settings::tailwart:dns:DkimKey::two");
    expect(cut.status, cut.output).toBe(0);
    const made = (await output("privateKeys", "--show-secrets"))["two"] ?? "";
    expect(made).toContain("PRIVATE KEY");
    const again = await project.up();
    expect(again.status, again.output).toBe(0);
    expect((await output("privateKeys", "--show-secrets"))["two"]).toBe(made);
    for (const zone of DOMAINS) publish(zone, "two", (await output("records"))["two"] ?? "");
    const steps: Uses[] = [{ one: "retire", two: "sign" }, { two: "sign" }];
    for (const uses of steps) {
      args(uses);
      const { status, output: said } = await project.up();
      expect(status, said).toBe(0);
    }
    expect(Object.keys(await output("records"))).toEqual(["two"]);
  });

  test("has a key of ed25519 sign beside that of RSA once it is published as well, and changes no selector's key", async () => {
    args({ two: "sign", ed: "publish" }, "ed");
    const published = await project.up();
    expect(published.status, published.output).toBe(0);
    const { ed = "", ...others } = await output("records");
    expect(ed).toMatch(/^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/);
    const quick = new DkimRotationResource(0);
    const uses: Uses = { two: "sign", ed: "sign" };
    const desired = { uses, records: { ...others, ed }, domains: DOMAINS, servers: [knot.address] };
    expect(await quick.apply(desired, undefined, () => undefined).catch(String)).toContain(
      "the key of ed is to sign, and is not published yet",
    );
    for (const zone of DOMAINS) publish(zone, "ed", ed);
    args(uses, "ed");
    const both = await project.up();
    expect(both.status, both.output).toBe(0);

    args(uses, "two");
    const other = await project.preview();
    expect(other.status).not.toBe(0);
    expect(other.output).toMatch(
      /the key of (two is of rsa|ed is of ed25519), and receivers know it; accepts another/,
    );
    expect(await output("records")).toEqual({ ...others, ed });
  });
});
