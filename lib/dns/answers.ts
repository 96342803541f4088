/** What servers say of a name, each asked by itself: by Node's resolver, as values that compare. */
import { Resolver } from "node:dns/promises";

import { wordsOf } from "../errors.ts";
import { type Authority, noneOrThrow } from "./authorities.ts";
import { absolute } from "./record.ts";
import type { RecordType } from "./record-data.ts";

/** What one server answers. */
export interface Answer {
  server: string;
  /** As `recordSets` has them; undefined where there is no answer. */
  values?: string[];
  /** Why there is no answer. */
  error?: string;
}

/** Milliseconds for one question to one server. */
const PATIENCE = { timeout: 3_000, tries: 2 };

/** Who asks one server alone. */
export function resolverAt({ address }: Pick<Authority, "address">, limits = PATIENCE): Resolver {
  const resolver = new Resolver(limits);
  resolver.setServers([address]);
  return resolver;
}

/** What each of these servers says. */
export const answersAt = (
  authorities: readonly Authority[],
  name: string,
  type: RecordType,
  limits = PATIENCE,
): Promise<Answer[]> =>
  Promise.all(
    authorities.map((authority) => answerOf(resolverAt(authority, limits), authority.server, name, type)),
  );

/** What a resolver says, under the name of who answers. */
export const answerOf = (
  resolver: Resolver,
  server: string,
  name: string,
  type: RecordType,
): Promise<Answer> =>
  valuesOf(resolver, name, type)
    .catch(noneOrThrow)
    .then(
      (values) => ({ server, values }),
      (error: unknown) => ({ server, error: wordsOf(error) }),
    );

async function valuesOf(resolver: Resolver, name: string, type: RecordType): Promise<string[]> {
  const lower = (host: string) => absolute(host.toLowerCase());
  switch (type) {
    case "A":
      return resolver.resolve4(name);
    case "AAAA":
      return resolver.resolve6(name);
    case "TXT":
      return (await resolver.resolveTxt(name)).map((strings) => strings.join(""));
    case "MX":
      return (await resolver.resolveMx(name)).map(
        ({ priority, exchange }) => `${priority} ${lower(exchange)}`,
      );
    case "SRV":
      return (await resolver.resolveSrv(name)).map(
        ({ priority, weight, port, name: target }) => `${priority} ${weight} ${port} ${lower(target)}`,
      );
    case "CAA":
      // Only what is ours to say: `issue` and `issuewild`.
      return (await resolver.resolveCaa(name)).flatMap((record) =>
        (["issue", "issuewild"] as const).flatMap((tag) =>
          record[tag] === undefined ? [] : [`${record.critical} ${tag} ${JSON.stringify(record[tag])}`],
        ),
      );
  }
}
