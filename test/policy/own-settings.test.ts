import { expect, test } from "vitest";
import { toFileKeys, toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../lib/desired-state/parse.ts";
import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { acmeDnsSecretPresent } from "../../policies/rules/acme-dns-secret-present.ts";
import { edgeNeverBanned } from "../../policies/rules/edge-never-banned.ts";
import { proxyTrustIsNarrow } from "../../policies/rules/proxy-trust-is-narrow.ts";
import { wildcardNeedsDns01 } from "../../policies/rules/wildcard-needs-dns01.ts";
import { desired } from "../unit/lib/desired-state/desired.ts";
import { PASSED, runPolicy, runStackPolicy, type TestResource } from "./harness.ts";
import { args, keys } from "./resources.ts";

/** The golden stack orders no certificate; this desired state does. */
const certificates: StalwartSettingsInput = {
  ...desired,
  acme: [
    { id: "le", contact: ["postmaster@lab.test"], challenge: "dns-01", names: ["*.lab.test"] },
    { id: "other", contact: ["postmaster@lab.test"], challenge: "http-01", names: ["mail.other.test"] },
  ],
  dnsProvider: {
    type: "ovh",
    applicationKey: "app",
    secretFile: "/etc/stalwart/secrets/dns",
    consumerKeyFile: "/etc/stalwart/secrets/dns-consumer",
  },
};
const settings = parseSettings(certificates);
const component = args(settings);
const resource = keys(toSettingKeys(settings), toFileKeys(settings));
const policies = [acmeDnsSecretPresent, edgeNeverBanned, proxyTrustIsNarrow, wildcardNeedsDns01];

test.each(policies.map((policy) => [policy.id, policy] as const))(
  "%s passes a desired state with certificates, as the component's args and as keys",
  async (_, policy) => {
    for (const subject of [component, resource]) expect(await runPolicy(policy, subject)).toEqual(PASSED);
  },
);

test.each([
  ["as the component's args", component],
  ["as keys", resource],
])(
  "both of its DNS secrets are looked up in the stack %s, so that a blank one is found",
  async (_, subject) => {
    const files: TestResource = {
      type: "docker:index/container:Container",
      props: {
        uploads: [
          { file: "/etc/stalwart/secrets/dns", content: "opensesame" },
          { file: "/etc/stalwart/secrets/dns-consumer", content: "" },
        ],
      },
    };
    const { violations, notJudged } = await runStackPolicy(acmeDnsSecretPresent, [subject, files]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("uploads[1].content (/etc/stalwart/secrets/dns-consumer) is empty");
    expect(notJudged).toEqual([]);
  },
);
