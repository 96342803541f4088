import { expect, test } from "vitest";

import {
  covers,
  daysLeft,
  isOverdue,
  isPublicCa,
  type Shown,
} from "../../../../verify/doctor/certificate.ts";
import { judge } from "../../../../verify/checks/public.ts";
import { serverApi } from "../../../../cli/doctor/api.ts";
import { doctorTarget } from "../../../fixtures/doctor-target.ts";
import { DoctorScene } from "../../../../verify/doctor/target.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const SHOWN: Shown = {
  names: ["*.example.org"],
  issuer: "Let's Encrypt",
  from: new Date("2026-05-01T00:00:00Z"),
  until: new Date("2026-07-30T00:00:00Z"),
  selfSigned: false,
  distrust: "",
  fingerprint: "AA:BB",
};
const ACME = [
  {
    id: "letsencrypt",
    directory: "https://acme-v02.api.letsencrypt.org/directory",
    contact: ["postmaster@example.org"],
    challenge: "dns-01" as const,
    names: ["*.example.org"],
  },
];

/** What is said of a certificate where the config has these ACME clients. */
function said(certificate: Shown, acme: object[] = ACME) {
  const target = doctorTarget();
  const scene = new DoctorScene(
    { ...target, settings: { ...target.settings, acme } as typeof target.settings },
    serverApi(target),
    () => Promise.reject(new Error("not asked")),
  );
  return judge(scene, { port: 993, banner: "", trouble: "", certificate }, NOW);
}

test("a good certificate is told with its names, its signer and its days", () => {
  expect(said(SHOWN)).toEqual({
    state: "ok",
    seen: "every port shows one for *.example.org, by Let's Encrypt, 58 days left",
  });
});

test.each<[string, Partial<Shown>, string, RegExp]>([
  ["has ended", { until: new Date("2026-05-30T00:00:00Z") }, "fail", /has ended 3 days ago/],
  ["is for another name", { names: ["www.example.net"] }, "fail", /and not for mail\.example\.org/],
  ["is of no CA where one was asked", { selfSigned: true }, "fail", /none was issued/],
  ["is of a CA that nobody trusts", { distrust: "UNABLE_TO_GET_ISSUER_CERT" }, "fail", /is not trusted/],
  [
    "should have been renewed",
    { from: new Date("2026-03-12T00:00:00Z"), until: new Date("2026-06-10T00:00:00Z") },
    "warn",
    /ends in 8 days/,
  ],
])("a certificate that %s is said to be that", (_, change, state, words) => {
  const finding = said({ ...SHOWN, ...change });
  expect(finding).toMatchObject({ state });
  expect(finding.seen).toMatch(words);
});

test("without an ACME client a self-signed one is what was asked for: mail programs warn, and so does the doctor", () => {
  expect(said({ ...SHOWN, selfSigned: true }, [])).toMatchObject({ state: "warn" });
});

test("a CA of one's own need not be known to this machine", () => {
  const own = [{ ...ACME[0], directory: "https://ca.example.org:14000/dir" }];
  expect(said({ ...SHOWN, distrust: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }, own)).toMatchObject({
    state: "ok",
  });
});

test("names, days and life are read as TLS has them", () => {
  expect(covers(["*.example.org"], "mail.example.org")).toBe(true);
  expect(covers(["*.example.org"], "example.org")).toBe(false);
  expect(covers(["*.example.org"], "a.b.example.org")).toBe(false);
  expect(daysLeft({ until: new Date("2026-06-01T11:00:00Z") }, NOW)).toBe(-1);
  // Six days are a whole life for some CAs' certificates.
  const short = { from: new Date("2026-05-31T12:00:00Z"), until: new Date("2026-06-06T12:00:00Z") };
  expect(isOverdue(short, NOW)).toBe(false);
  expect(isPublicCa("https://acme-v02.api.letsencrypt.org/directory")).toBe(true);
  expect(isPublicCa("https://acme-staging-v02.api.letsencrypt.org/directory")).toBe(false);
  expect(isPublicCa("https://evil.example/api.letsencrypt.org")).toBe(false);
});
