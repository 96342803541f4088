/** CAA: which CA may sign for a name (RFC 8659), and for which of its accounts (RFC 8657). */
import { hostOf, issuersOf } from "../acme-cas.ts";
import type { Draft } from "./draft.ts";
import { mailHosts } from "./hosts.ts";
import { isAmong, patternSet } from "./name-patterns.ts";
import { isPublished } from "./published.ts";
import { webNames } from "./services.ts";

/**
 * Records that keep other CAs from signing for the mail names. They stand at these names and not at
 * the domain, where `issue` would bar the CAs of all its other names, the edge's own sites among
 * them (lesson 5). For a wildcard the domain is asked, where `issuewild` concerns wildcards alone
 * (RFC 8659 §4.3).
 */
export function addCaa(draft: Draft): void {
  const { acme, acmeAccounts, domains } = draft.setup;
  const published = new Set(
    domains.filter((each) => isPublished(draft, each, "caa")).map(({ name }) => name),
  );
  const isOurs = (name: string) => !published.has(draft.domainOf(name));
  for (const host of mailHosts(draft.setup)) if (draft.isDomain(host)) draft.note(host, AT_A_DOMAIN);
  const names = [
    ...mailHosts(draft.setup),
    ...domains.flatMap((domain) => webNames(domain, draft.setup)),
  ].filter((name) => isOurs(name) && !draft.isDomain(name));
  for (const client of acme) {
    const [issuer] = issuersOf(client.directory);
    if (issuer === undefined) {
      draft.note(hostOf(client.directory) ?? client.directory, NO_ISSUER);
      continue;
    }
    const accounts = acmeAccounts.filter((account) => hostOf(account) === hostOf(client.directory));
    if (accounts.length === 0) draft.note(issuer, NO_ACCOUNT);
    const values = accounts.map((account) => `${issuer}; accounturi=${account}`);
    const ordered = patternSet(client.names);
    const wild = [...ordered].filter((name) => name.startsWith("*.")).map((name) => name.slice(2));
    for (const value of values.length > 0 ? values : [issuer]) {
      for (const name of wild.filter(isOurs)) draft.add(name, "caa", { ...issue("issuewild"), value });
      for (const name of names.filter((each) => isAmong(each, ordered)))
        draft.add(name, "caa", { ...issue("issue"), value });
    }
  }
  if (acme.length === 0) draft.note(draft.setup.mailHost, NO_CLIENT);
}

const issue = (tag: "issue" | "issuewild") => ({ type: "CAA", flags: 0, tag }) as const;

const AT_A_DOMAIN = {
  state: "left out",
  what: "CAA",
  need: "recommended",
  why: "the mail host is the domain itself, and all names below it would be barred from other CAs",
} as const;

const NO_CLIENT = {
  state: "missing",
  what: "CAA",
  need: "recommended",
  why: "no ACME client is declared, so no CA is known to sign",
  instead: "tailwart:acme (docs/deploy.md, Certificates)",
} as const;

const NO_ISSUER = {
  state: "missing",
  what: "CAA",
  need: "recommended",
  why: "what this CA calls itself in CAA is not known here",
  instead: "the names are caaIdentities in its ACME directory",
} as const;

const NO_ACCOUNT = {
  state: "missing",
  what: "CAA's accounturi",
  need: "recommended",
  why: "the CA alone is named, so any account there that once answers a challenge gets a certificate",
  instead: "tailwart:dns: { acmeAccounts: [https://…] }, the URLs of Stalwart's account and of others",
} as const;
