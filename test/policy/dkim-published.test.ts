import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dkimPublished as policy } from "../../policies/rules/dkim-published.ts";
import {
  cloudDns,
  cloudflare,
  cloudflareOld,
  digitalOcean,
  hetzner,
  hostedZone,
  route53,
} from "./dns-resources.ts";
import {
  askServed,
  PASSED,
  runPolicy,
  runStackPolicy,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { keys as settings, resource as resourceOf } from "./resources.ts";
import { toSdkPolicy } from "../../policies/framework/sdk-policy.ts";

const rsa = (modulusLength: number, type: "spki" | "pkcs1" = "spki"): string =>
  generateKeyPairSync("rsa", { modulusLength }).publicKey.export({ format: "der", type }).toString("base64");
const RSA_2048 = rsa(2048);
const ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const P256 = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ format: "der", type: "spki" })
  .toString("base64");

const zone = hostedZone("example.org");
const ask = (resource: TestResource): Promise<Outcome> => runPolicy(policy, resource);
const askStack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);
const key = (text: string, name = "s1._domainkey.example.org"): TestResource => cloudflare("TXT", name, text);
const GOOD = `v=DKIM1; k=rsa; p=${RSA_2048}`;
const GOOD_ED = `v=DKIM1; k=ed25519; p=${ED25519}`;

describe("dkim-published refuses", () => {
  test("a key without p=, and says where, what, why and what to write instead", async () => {
    const { violations } = await ask(route53(zone, "TXT", "s1._domainkey", ["v=DKIM1; k=rsa"]));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("records[0] has no p=, the public key.");
    expect(violations[0]).toMatch(/why: a signature whose key.*lesson 19/);
    expect(violations[0]).toMatch(/instead: v=DKIM1; k=rsa; p=/);
  });

  test.each([
    ["another version", `v=DKIM2; p=${RSA_2048}`, "does not begin with v=DKIM1"],
    ["its version behind", `k=rsa; v=DKIM1; p=${RSA_2048}`, "does not begin with v=DKIM1"],
    ["sha1 alone", `v=DKIM1; h=sha1; p=${RSA_2048}`, "allows no sha256 in h="],
    ["another kind of key", `v=DKIM1; k=ecdsa; p=${P256}`, "has a k= that is neither rsa nor ed25519"],
    ["PEM lines", `v=DKIM1; p=-----BEGIN PUBLIC KEY-----${RSA_2048}`, "has a p= that is no base64"],
    ["base64 of URLs", "v=DKIM1; p=MIIB-_A", "has a p= that is no base64"],
    ["a key that is cut off", `v=DKIM1; p=${RSA_2048.slice(0, 200)}`, "is no RSA key: it is cut off"],
    ["something else", "p=aGVsbG8=", "is no RSA key: it is cut off, or something else"],
    ["a key of another algorithm", `v=DKIM1; p=${P256}`, "is a key of ec, and k= says rsa"],
    [
      "an ed25519 key in a structure",
      `v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA${ED25519}`,
      "has 44 bytes, and an ed25519 key is its 32 bytes alone",
    ],
    ["512 bits", `v=DKIM1; p=${rsa(512)}`, "is an RSA key of 512 bits, and receivers take none below 1024"],
    ["1016 bits", `v=DKIM1; p=${rsa(1016)}`, "is an RSA key of 1016 bits, and receivers take none"],
  ])("a key with %s", async (_, text, what) => {
    const { violations } = await ask(key(text));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`content ${what}`);
  });

  test.each([
    ["Route53", route53(zone, "TXT", "s1._domainkey", ["v=DKIM1"]), "records[0]"],
    ["Cloud DNS", cloudDns("TXT", "s1._domainkey.example.org.", ['"v=DKIM1;" " k=rsa"']), "rrdatas[0]"],
    ["Hetzner", hetzner("TXT", "a.b._domainkey.news", ['"v=DKIM1"']), "records[0].value"],
    ["DigitalOcean", digitalOcean("TXT", "S1._DomainKey", "v=DKIM1"), "value"],
    [
      "Cloudflare 5",
      cloudflareOld({ zoneId: "z", type: "TXT", name: "s1._domainkey", value: "v=DKIM1" }),
      "value",
    ],
    ["Cloud DNS with an unknown name", cloudDns("TXT", UNKNOWN, ['"x"', '"v=DKIM1"']), "rrdatas[1]"],
    ["Cloudflare with an unknown type", cloudflare(UNKNOWN, "s1._domainkey", "v=DKIM1"), "content"],
  ])("such a key at %s", async (_, resource, where) => {
    const { violations } = await ask(resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${where} has no p=`);
  });

  test.each([
    ["Route53", route53(zone, "TXT", "s1._domainkey", [GOOD]), "records[0]"],
    [
      "Route53, divided once too little",
      route53(zone, "TXT", "s1._domainkey", [`${GOOD.slice(0, 100)}""${GOOD.slice(100)}`]),
      "records[0]",
    ],
    ["Cloud DNS", cloudDns("TXT", "s1._domainkey.example.org.", [`"${GOOD}"`]), "rrdatas[0]"],
    ["Hetzner", hetzner("TXT", "s1._domainkey", [`"${GOOD}"`]), "records[0].value"],
  ])("a string that is too long at %s", async (_, resource, where) => {
    const { violations } = await ask(resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/has a string of \d{3} bytes, and one of a TXT record holds 255/);
    expect(violations[0]?.startsWith(where)).toBe(true);
    expect(violations[0]).toMatch(/instead: the value in pieces/);
  });

  test.each([
    ["the only key", [key(GOOD_ED)]],
    ["beside one that is revoked", [key(GOOD_ED), key("v=DKIM1; p=", "old._domainkey.example.org")]],
    ["beside another of its kind", [key(GOOD_ED), key(GOOD_ED, "s2._domainkey.example.org")]],
    ["while another domain has an RSA key", [key(GOOD_ED), key(GOOD, "s1._domainkey.example.com")]],
    [
      "while another zone has an RSA key",
      [key(GOOD_ED), route53(zone, "TXT", "s2._domainkey", [`${GOOD.slice(0, 250)}""${GOOD.slice(250)}`])],
    ],
  ])("an ed25519 key: %s", async (_, resources) => {
    const { violations, notJudged } = await askStack(zone, ...resources);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("content is an ed25519 key, and the domain has no RSA key beside it.");
    expect(violations[0]).toMatch(/instead: an RSA key of 2048 bits under another selector/);
    expect(notJudged).toEqual([]);
  });
});

const rules = (...thens: string[]) =>
  settings(
    {
      ...Object.fromEntries(
        thens.flatMap((then, i) => [
          [`auth.dkim.sign.000${i}.if`, `sender_domain == '${i}.org'`],
          [`auth.dkim.sign.000${i}.then`, then],
        ]),
      ),
      [`auth.dkim.sign.000${thens.length}.else`]: "false",
    },
    { "signature.r.algorithm": "rsa-sha256", "signature.e.algorithm": "ed25519-sha256" },
  );
const registry = (objects: unknown): TestResource =>
  resourceOf("tailwart:mail:Registry", "registry", { objects });
const signature = (name: string, row: object, domain = "example.org") => ({
  [`DkimSignature/${name}._domainkey.${domain}`]: {
    selector: name,
    domainId: { "#ref": `Domain/${domain}` },
    stage: "active",
    ...row,
  },
});
const RSA = { "@type": "Dkim1RsaSha256" };
const ED = { "@type": "Dkim1Ed25519Sha256" };

describe("dkim-published judges what signs: it", () => {
  test.each([
    ["of a rule", rules("['e']"), 'settings["auth.dkim.sign.0000.then"]'],
    ["of a rule in other quotes", rules('"e"'), 'settings["auth.dkim.sign.0000.then"]'],
    ["of a key that somebody has made", rules("['ed25519-a.org', 'e', '']"), "0000.then"],
    ["of the second rule", rules("['r', 'e']", "['e']"), 'settings["auth.dkim.sign.0001.then"]'],
    ["of all mail", settings({ "auth.dkim.sign": "['ed25519-' + sender_domain]" }), "auth.dkim.sign"],
    [
      "of a domain in the registry",
      registry(signature("e", ED)),
      'objects["DkimSignature/e._domainkey.example.org"]["@type"]',
    ],
    ["of one that says nothing of its stage", registry(signature("e", { ...ED, stage: undefined })), "@type"],
    [
      "beside an RSA key that is retired",
      registry({ ...signature("e", ED), ...signature("r", { ...RSA, stage: "retiring" }) }),
      "e._domainkey",
    ],
    [
      "beside an RSA key that signs for another domain",
      registry({ ...signature("e", ED), ...signature("r", RSA, "example.net") }),
      "e._domainkey",
    ],
    [
      "beside an RSA key of DKIM2, which is another header",
      registry({ ...signature("e", ED), ...signature("r", { "@type": "Dkim2RsaSha256" }) }),
      "e._domainkey",
    ],
    [
      "of a domain by its id",
      registry({ "DkimSignature/x": { ...ED, domainId: "b" }, "DkimSignature/y": { ...RSA, domainId: "c" } }),
      'objects["DkimSignature/x"]["@type"]',
    ],
  ])("refuses ed25519 alone, the signer %s", async (_, resource, where) => {
    const { violations, notJudged } = await ask(resource);
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("has mail signed by ed25519 alone, which large receivers do not know.");
    expect(violations[0]?.split(" has mail")[0]).toContain(where);
    expect(violations[0]).toMatch(/lesson 19/);
    expect(violations[0]).toMatch(/instead: a key of RSA with 2048 bits that signs the same mail, too/);
  });

  test.each([
    ["RSA", rules("['r']")],
    ["both", rules("['r', 'e']", "'r'")],
    ["what somebody has made", settings({ "auth.dkim.sign": "['rsa-' + sender_domain, 'ed25519-' + x]" })],
    ["nothing", settings({ "auth.dkim.sign": "false" })],
    [
      "a key where there is one",
      rules("winnow([if_then(is_empty(config_get('signature.rsa-a.algorithm')), '', 'rsa-a')])"),
    ],
    [
      "what is declared, whatever its name",
      settings({ "auth.dkim.sign": "['ed25519-x']" }, { "signature.ed25519-x.algorithm": "rsa-sha256" }),
    ],
    ["RSA, by the registry", registry(signature("r", RSA))],
    ["both, by the registry", registry({ ...signature("e", ED), ...signature("r", RSA) })],
    [
      "RSA, beside an ed25519 key that waits",
      registry({ ...signature("e", { ...ED, stage: "pending" }), ...signature("r", RSA) }),
    ],
  ])("passes what is signed by %s", async (_, resource) => {
    const { violations, notJudged } = await ask(resource);
    expect({ violations, notJudged }).toEqual({ violations: [], notJudged: [] });
  });

  test.each([
    ["settings of other things", settings({ "server.hostname": "mx" })],
    ["a broken rule", settings({ "auth.dkim.sign.0000.then": "['e']" })],
    ["a registry without keys", registry({ "Domain/example.org": { name: "example.org" } })],
    ["a registry whose only key waits", registry(signature("e", { ...ED, stage: "pending" }))],
    ["a registry without objects", registry(undefined)],
  ])("is not concerned with %s", async (_, resource) => {
    expect((await ask(resource)).notApplicable).toBe("it says nothing of what signs mail");
  });

  test.each([
    ["a key that is nowhere declared", rules("['e', 'other']"), /0000\.then.*whether a key of RSA is among/],
    ["a rule that is unknown", settings({ "auth.dkim.sign": UNKNOWN }), /auth\.dkim\.sign.*unknown until/],
    ["unknown settings", settings(UNKNOWN_OBJECT), /^settings: unknown until the update$/],
    ["an unknown registry", registry(UNKNOWN_OBJECT), /^objects: unknown until the update$/],
    ["an unknown stage", registry(signature("e", { ...ED, stage: UNKNOWN })), /@type.*is not known$/],
    ["an unknown kind", registry(signature("e", { "@type": UNKNOWN })), /@type.*is not known$/],
    ["another kind", registry(signature("e", { "@type": "Dkim1EcdsaSha256" })), /@type.*is not known$/],
  ])("leaves %s unjudged", async (_, resource, said) => {
    const { violations, notJudged } = await ask(resource);
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toMatch(said);
  });

  test("does not lay the gaps of other settings at the door of what signs", async () => {
    const open = settings(
      { "auth.dkim.sign": "['r']", "other.key": UNKNOWN },
      { "signature.r.algorithm": "rsa-sha256" },
    );
    expect(await ask(open)).toMatchObject({ violations: [], notJudged: [] });
  });
});

test("dkim-published advises more bits, and fails nothing for it", async () => {
  const weak = key(`v=DKIM1; p=${rsa(1024)}`);
  const [said, ...more] = await askServed([toSdkPolicy(policy)], weak);
  expect(more).toEqual([]);
  expect(said).toMatchObject({ level: "advisory" });
  expect(said?.message).toContain("content is an RSA key of 1024 bits; 2048 are what signers should use");
  expect((await askServed([toSdkPolicy(policy)], key("v=DKIM1")))[0]).toMatchObject({ level: "mandatory" });
});

describe("dkim-published passes", () => {
  test.each([
    ["an RSA key of 2048 bits", key(GOOD)],
    ["one without version and kind", key(`p=${RSA_2048}`)],
    ["one as RFC 6376 has it", key(`v=DKIM1; k=rsa; p=${rsa(2048, "pkcs1")}`)],
    ["one with more tags", key(`v=DKIM1; h=sha1:SHA256 ; s=email; t=s; n=note; p=${RSA_2048};`)],
    ["one with blanks in it", key(`v=DKIM1; p=${RSA_2048.slice(0, 64)} ${RSA_2048.slice(64)}`)],
    ["one with a zone file's semicolons", key(GOOD.replaceAll(";", "\\;"))],
    [
      "one in strings",
      route53(zone, "TXT", "s1._domainkey", [`"${GOOD.slice(0, 255)}" "${GOOD.slice(255)}"`]),
    ],
    ["a revoked key", key("v=DKIM1; k=rsa; p=")],
    ["an ed25519 key by itself", key(GOOD_ED)],
    [
      "a text of 255 bytes",
      cloudDns("TXT", "s1._domainkey.example.org.", [`"v=DKIM1; p=;n=${"a".repeat(241)}"`]),
    ],
  ])("%s", async (_, resource) => {
    expect(await ask(resource)).toEqual(PASSED);
  });

  test.each([
    ["an ed25519 key beside an RSA key", [key(GOOD_ED), key(GOOD, "s2._domainkey.example.org")]],
    [
      "the same in one set",
      [route53(zone, "TXT", "s1._domainkey", [GOOD_ED, `${GOOD.slice(0, 250)}""${GOOD.slice(250)}`])],
    ],
    ["an RSA key", [key(GOOD)]],
    ["revoked keys", [key("v=DKIM1; p=")]],
    [
      "an ed25519 key beside one that the resource's own judgement refuses",
      [key(GOOD_ED), key("v=DKIM1; p=!", "s2._domainkey.example.org")],
    ],
    ["keys behind a CNAME", [cloudflare("CNAME", "s1._domainkey.example.org", "s1.example.net")]],
  ])("%s, over the whole stack", async (_, resources) => {
    expect(await askStack(zone, ...resources)).toEqual(PASSED);
  });

  test.each([
    ["a text of another name", cloudflare("TXT", "example.org", "v=DKIM1"), "it is no DKIM selector's"],
    [
      "the domain's own policy",
      cloudflare("TXT", "_domainkey.example.org", "o=~"),
      "it is no DKIM selector's",
    ],
    ["another type", cloudflare("CNAME", "s1._domainkey", "x.example.net"), "no DNS record is in it"],
  ])("over %s", async (_, resource, reason) => {
    expect((await ask(resource)).notApplicable).toBe(reason);
  });

  test("over a stack without keys", async () => {
    expect((await askStack(zone, cloudflare("TXT", "@", GOOD))).notApplicable).toBe(
      "no DKIM selector is in the stack",
    );
  });

  test("what is no key, under an unknown name", async () => {
    expect(await ask(cloudflare("TXT", UNKNOWN, "v=spf1 -all"))).toEqual(PASSED);
  });
});

describe("dkim-published lists as not judged", () => {
  test("an ed25519 key beside an unknown one of a list", async () => {
    const open = route53(zone, "TXT", "s2._domainkey", [UNKNOWN, "v=DKIM1; p="]);
    const { violations, notJudged } = await askStack(
      zone,
      route53(zone, "TXT", "s1._domainkey", [GOOD_ED]),
      open,
    );
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
  });

  test.each([
    ["an unknown key", cloudflare("TXT", "s1._domainkey", UNKNOWN), "content"],
    ["an unknown key of a domain", digitalOcean("TXT", "s1._domainkey", UNKNOWN), "value"],
    ["an unknown list", cloudDns("TXT", "s1._domainkey.example.org.", UNKNOWN_LIST), "rrdatas"],
    ["an unknown one of a set", hetzner("TXT", "s1._domainkey", [UNKNOWN]), "records[0].value"],
    ["an unknown key of an unknown name", cloudflare("TXT", UNKNOWN, UNKNOWN), "content"],
  ])("%s", async (_, resource, where) => {
    expect(await ask(resource)).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });

  test.each([
    ["a key that nobody gives yet", cloudflare("TXT", "s2._domainkey.example.org", UNKNOWN)],
    ["a key behind a CNAME", cloudflare("CNAME", "s2._domainkey.example.org", "s2.example.net")],
    ["a record whose name is unknown", cloudflare("TXT", UNKNOWN, "x")],
    ["keys at other name servers", cloudflare("NS", "s2._domainkey.example.org", "ns.example.net")],
    ["a record whose type is unknown", cloudflare(UNKNOWN, "s2._domainkey.example.org", UNKNOWN)],
  ])("an ed25519 key beside %s", async (_, other) => {
    expect(await askStack(key(GOOD_ED), other)).toEqual({
      violations: [],
      notJudged: [
        `content: is an ed25519 key, which is well beside an RSA key; whether ${other.name} is one is not known`,
      ],
    });
  });
});
