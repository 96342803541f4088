import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { MAIL_SETTINGS } from "../own-resources.ts";
import { acmeOf, type AcmeClient } from "./acme.ts";

/** What of the names is unknown. */
export const unread = (clients: readonly AcmeClient[]): NotJudged[] =>
  clients.flatMap(({ names, list }) => [
    ...names.filter(({ known }) => !known).map(({ where }) => gapAt(where)),
    ...(list.complete ? [] : [gapAt(list.where)]),
  ]);

/** A Stalwart of the stack, with its clients. */
export interface Stalwart {
  readonly resource: PolicyResource;
  readonly clients: readonly AcmeClient[];
  readonly gaps: readonly NotJudged[];
}

/** Stalwart's clients: those of the settings, or of the component while there are no settings. */
export function stalwartsOf(resources: readonly PolicyResource[]): Stalwart[] {
  const all = resources.flatMap((resource) => {
    const acme = acmeOf(resource);
    return acme ? [{ resource, clients: acme.clients, gaps: [...acme.gaps, ...unread(acme.clients)] }] : [];
  });
  const settings = all.filter(({ resource }) => resource.type !== MAIL_SETTINGS);
  return settings.length > 0 ? settings : all;
}
