// A stack in the midst of a rotation of its RSA key, beside one of ed25519: where the keys go, and
// what waits.
import { beforeAll, describe, expect, test } from "vitest";

import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const dkim = {
  selectors: [
    { name: "tw2026", use: "sign" },
    { name: "tw2027", use: "publish" },
    { name: "ed2026", use: "sign", algorithm: "ed25519" },
  ],
};
const SECRETS = { "tailwart:postgresPassword": "a-password" };

describe.each(["0.15", "0.16"])("on Stalwart %s", (line) => {
  let resources: Registered[];
  const done: string[] = [];
  const of = (type: string) => resources.filter((resource) => resource.type === type);

  beforeAll(async () => {
    const config: Record<string, string> = {
      ...configOf("Pulumi.prod.yaml"),
      "tailwart:dkim": JSON.stringify(dkim),
    };
    const whole: Record<string, string> =
      line === "0.15" ? { ...config, "tailwart:stalwart": JSON.stringify({ line }) } : config;
    if (line === "0.15")
      whole["tailwart:images"] = (whole["tailwart:images"] ?? "").replace(
        /stalwart:v0\.16\.\d+/,
        "stalwart:v0.15.5",
      );
    resources = await resourcesOf(whole, SECRETS, (type, name) => done.push(`${type} ${name}`));
  });

  test("each selector has a key, and its private part goes into a file of Stalwart's alone, as a secret", () => {
    expect(of("tailwart:dns:DkimKey").map(({ inputs }) => inputs["selector"])).toEqual([
      "ed2026",
      "tw2026",
      "tw2027",
    ]);
    const holders = resources.filter((resource) => JSON.stringify(resource).includes("private key of"));
    expect(holders.map(({ name }) => name)).toEqual(["mail-stalwart-files"]);
    const uploads = JSON.stringify(holders[0]?.inputs["uploads"]);
    for (const { name } of dkim.selectors) {
      expect(uploads).toContain(`"file":"/etc/stalwart/secrets/dkim-${name}"`);
      expect(uploads).toContain(`private key of ${name}`);
    }
    const secrets = uploads.match(/"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"/g);
    expect(secrets?.length).toBeGreaterThan(0);
  });

  test("the rotation gets every record, and ends before Stalwart is touched", () => {
    expect(of("tailwart:dns:DkimRotation")[0]?.inputs).toMatchObject({
      uses: { tw2026: "sign", tw2027: "publish", ed2026: "sign" },
      records: { tw2026: "v=DKIM1; k=rsa; p=tw2026", tw2027: "v=DKIM1; k=rsa; p=tw2027" },
      domains: ["example.org"],
    });
    const first = done.findIndex((each) => each.endsWith(" mail-stalwart-files"));
    expect(done.findIndex((each) => each.startsWith("tailwart:dns:DkimRotation"))).toBeLessThan(first);
  });

  test("what signs is one of each algorithm, and the other waits", () => {
    const [settings] = of("tailwart:mail:Settings");
    if (line === "0.15")
      return expect({
        ...(settings?.inputs["settings"] as object),
        ...(settings?.inputs["fileSettings"] as object),
      }).toMatchObject({
        "auth.dkim.sign.0000.then": "['tw2026_example_org', 'ed2026_example_org']",
        "signature.ed2026_example_org.algorithm": "ed25519-sha256",
      });
    const rows = of("tailwart:mail:Registry")[0]?.inputs["objects"] as Record<string, string>;
    const row = (selector: string): unknown =>
      JSON.parse(rows[`DkimSignature/${selector}._domainkey.example.org`] ?? "");
    expect(row("tw2027")).toMatchObject({ stage: "pending" });
    return expect(row("ed2026")).toMatchObject({ "@type": "Dkim1Ed25519Sha256", stage: "active" });
  });

  test("a key of RSA has no word of its algorithm, as it was deployed before there were others", () => {
    expect(of("tailwart:dns:DkimKey").map(({ inputs }) => inputs["algorithm"])).toEqual([
      "ed25519",
      undefined,
      undefined,
    ]);
    const [component] = of("tailwart:mail:MailDns");
    expect(JSON.stringify(component?.inputs["selectors"]).match(/algorithm/g)).toHaveLength(1);
  });
});

test("records that are to be written go where the key is, those of DKIM with them, and before a key signs", async () => {
  const SECRET = "dGhlIHNlY3JldCBvZiB0aGUga2V5";
  const done: string[] = [];
  const resources = await resourcesOf(
    {
      ...configOf("Pulumi.prod.yaml"),
      "tailwart:dkim": JSON.stringify(dkim),
      "tailwart:dnsProvider": JSON.stringify({ type: "rfc2136", host: "192.0.2.53", keyName: "writes" }),
      "tailwart:dns": JSON.stringify({ write: true, adopt: ["example.org MX"] }),
    },
    { ...SECRETS, "tailwart:dnsSecret": SECRET },
    (type) => done.push(type),
  );
  const [written] = resources.filter(({ type }) => type === "tailwart:dns:RecordSet");
  expect(written?.inputs).toMatchObject({
    writer: { host: "192.0.2.53", port: 53, keyName: "writes" },
    adopt: ["example.org MX"],
    removeOnDestroy: false,
    dkim: { tw2026: "v=DKIM1; k=rsa; p=tw2026", tw2027: "v=DKIM1; k=rsa; p=tw2027" },
  });
  const texts = written?.inputs["records"] as Record<string, string>;
  expect(JSON.parse(texts["example.org"] ?? "")).toMatchObject({
    "example.org MX": ["10 mail.example.org."],
  });
  expect(JSON.stringify(written?.inputs["secret"])).toContain("1b47061264138c4ac30d75fd1eb44270");
  expect(done.indexOf("tailwart:dns:RecordSet")).toBeLessThan(done.indexOf("tailwart:dns:DkimRotation"));
});
