import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { type Issuance, searchIssuances } from "../../../../lab/fakes/certspotter.ts";
import { issuanceOf } from "../../../../lab/fakes/issuance.ts";

const issuance = (id: number, dns_names: string[], not_after = "2999-01-01T00:00:00.000Z"): Issuance => ({
  id: String(id),
  tbs_sha256: "",
  cert_sha256: "",
  dns_names,
  pubkey_sha256: "",
  issuer: { name: "CN=lab" },
  not_before: "2026-01-01T00:00:00.000Z",
  not_after,
});
const ISSUED = [
  issuance(1, ["lab.test"]),
  issuance(2, ["*.lab.test"]),
  issuance(3, ["mail.lab.test"], "2026-01-02T00:00:00.000Z"),
  issuance(4, ["mail.lab.test"]),
  issuance(5, ["notlab.test"]),
];
const idsFor = (query: string) =>
  (searchIssuances(`/v1/issuances?${query}`, ISSUED).json as Issuance[]).map(({ id }) => id);

describe("the fake certspotter", () => {
  test("tells of a name alone, of those below it, and of its wildcard, as it is asked", () => {
    expect(idsFor("domain=lab.test")).toEqual(["1"]);
    expect(idsFor("domain=lab.test&include_subdomains=true")).toEqual(["1", "2", "4"]);
    expect(idsFor("domain=mail.lab.test&match_wildcards=true")).toEqual(["2", "4"]);
  });

  test("goes on after an issuance, the oldest first, and leaves expired ones out", () => {
    expect(idsFor("domain=lab.test&include_subdomains=true&after=1")).toEqual(["2", "4"]);
    expect(idsFor("domain=mail.lab.test")).toEqual(["4"]);
  });

  test("shows names and issuer only where they are asked for", () => {
    const first = (query: string) =>
      (searchIssuances(`/v1/issuances?domain=lab.test${query}`, ISSUED).json as Issuance[])[0];
    expect(first("")).not.toHaveProperty("dns_names");
    expect(first("&expand=dns_names")).toMatchObject({ dns_names: ["lab.test"] });
    expect(first("&expand=dns_names")).not.toHaveProperty("issuer");
  });

  test.each([
    ["no domain", "/v1/issuances", 400],
    ["a top-level domain", "/v1/issuances?domain=test", 400],
    ["another path", "/v2/issuances?domain=lab.test", 404],
  ])("refuses %s", (_what, url, status) => {
    expect(searchIssuances(url, ISSUED)).toMatchObject({
      status,
      json: { code: expect.any(String) as string },
    });
  });
});

test("a certificate is told of by its names, its times and the digests that openssl finds", () => {
  const folder = mkdtempSync(join(tmpdir(), "tailwart-issuance-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const names = ["-subj", "/CN=b.test", "-addext", "subjectAltName=DNS:b.test,DNS:*.a.test"];
    const made = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "9", ...names];
    execFileSync("openssl", [...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const digest = (shell: string) =>
      execFileSync("sh", ["-c", `${shell} | sha256sum`, "sh", cert])
        .toString()
        .split(" ")[0];
    const told = issuanceOf(readFileSync(cert, "utf8"), 7);
    expect(told).toMatchObject({ id: "7", dns_names: ["*.a.test", "b.test"], issuer: { name: "CN=b.test" } });
    expect(told.cert_sha256).toBe(digest('openssl x509 -in "$1" -outform der'));
    expect(told.pubkey_sha256).toBe(
      digest('openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der'),
    );
    const tbs = `openssl asn1parse -in "$1" -strparse 4 -noout -out ${folder}/tbs >/dev/null; cat ${folder}/tbs`;
    expect(told.tbs_sha256).toBe(digest(`{ ${tbs}; }`));
    expect(Date.parse(told.not_after) - Date.parse(told.not_before)).toBe(9 * 86_400_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
