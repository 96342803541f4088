import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import { contentOf, referenceIn, type Content, type Reference } from "../facts/secrets/references.ts";
import { acmeOf, type AcmeClient, type Setting } from "../facts/stalwart/acme.ts";

export const acmeDnsSecretPresent = definePolicy({
  id: "acme-dns-secret-present",
  description: "DNS-01 has a DNS provider whose secret is declared in the stack and is not blank.",
  severity: "high",
  lesson: 2,
  enforcementLevel: "mandatory",
  remediation:
    "Keep the DNS provider's key in a config secret, put it into a file of Stalwart's container, and refer to that file.",
  url: "https://stalw.art/docs/0.15/server/tls/acme/configuration/",
  why: "without a working key no `_acme-challenge` record is written and every order fails, and a key that was only typed into the admin UI shows blank there and is gone with the data store",
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource,
  judgeStack,
});

const NO_ACME = "only Stalwart's settings name a DNS provider";
const INSTEAD =
  "the path of a file in Stalwart's container (dnsProvider.secretFile, or %{file:/etc/stalwart/secrets/dns}% in the config file), filled from a config secret";

/** What Stalwart (registry/src/schema/prelude.rs) and a browser show in place of a secret. */
const isMask = (text: string): boolean => /^[*\u2022]+$/.test(text.trim());

/** What is wrong with a secret. That one is in plain sight is another policy's matter. */
function mistakeIn({ text, raw }: Setting): string | undefined {
  if (text === undefined)
    return "is not declared while the challenge is dns-01, so the DNS provider's secret is nowhere, or in the admin UI alone";
  if (text.trim() === "") return "is empty while the challenge is dns-01";
  if (isMask(text))
    return "is the mask that the API shows in place of a secret, and writing it back overwrites the real one";
  const reference = referenceIn(text);
  if (reference?.name === "") return `refers to no ${reference.kind} at all`;
  if (reference && raw)
    return "is a macro in the data store, where Stalwart expands none, so the DNS provider is asked with the macro's own text";
  return undefined;
}

const isDns01 = ({ challenge }: AcmeClient): boolean => challenge.text === "dns-01";

function judgeClient(client: AcmeClient): Judgement {
  const { challenge, provider, secrets } = client;
  if (challenge.known && !isDns01(client)) return PASS;
  const findings: Finding[] = [];
  if (provider.known && (provider.text ?? "").trim() === "") {
    const what = "is not set while the challenge is dns-01, so nothing can write the challenge's record";
    findings.push({ where: provider.where, what, instead: "the DNS provider's kind, and its secret" });
  } else {
    for (const secret of secrets.filter(({ known }) => known)) {
      const what = mistakeIn(secret);
      if (what) findings.push({ where: secret.where, what, instead: INSTEAD });
    }
  }
  const unread = [provider, ...secrets].filter(({ known }) => !known).map(({ where }) => where);
  if (challenge.known) return merge(refuse(...findings), unknown(...new Set(unread)));
  return findings.length + unread.length > 0 ? unknown(challenge.where) : PASS;
}

/** The clients of a component share one DNS provider, and an unknown map hides the keys of each. */
function oncePerPlace<Entry extends { where: string }>(entries: readonly Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [entry.where, entry])).values()];
}

/** What the settings themselves say. */
function judgeResource(resource: PolicyResource): Verdict {
  const acme = acmeOf(resource);
  if (!acme) return { notApplicable: NO_ACME };
  const { findings, notJudged } = merge(unjudged(...acme.gaps), ...acme.clients.map(judgeClient));
  return { findings: oncePerPlace(findings), notJudged: oncePerPlace(notJudged) };
}

function referencesOf(resource: PolicyResource): Reference[] {
  const secrets =
    acmeOf(resource)
      ?.clients.filter(isDns01)
      .flatMap((client) => client.secrets) ?? [];
  return secrets.flatMap(({ text, raw }) => (raw || text === undefined ? [] : (referenceIn(text) ?? [])));
}

function judgeContent(content: Content, { name }: Reference): Judgement {
  const { where, urn } = content;
  if (content.kind === "unread") return unjudged({ where, because: content.because, urn });
  const blank = content.kind === "text" && content.text.trim() === "";
  const what =
    content.kind === "missing"
      ? `lacks ${name}, which the DNS provider's secret is read from`
      : blank || isMask(content.text)
        ? `${blank ? "is empty" : "holds a mask in place of a secret"}, while the DNS provider's secret is read from there`
        : undefined;
  const instead = "the key that the DNS provider gave out, from a config secret";
  return what === undefined ? PASS : refuse({ where, what, instead, urn });
}

/** What the files and variables hold that the settings refer to. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const references = resources.flatMap(referencesOf).filter(({ name }) => name !== "");
  if (references.length === 0)
    return { notApplicable: "no DNS provider's secret is read from a file or a variable" };
  const places = new Map(references.map((one) => [`${one.kind} ${one.name}`, one]));
  return merge(...[...places.values()].map((one) => judgeContent(contentOf(one, resources), one)));
}
