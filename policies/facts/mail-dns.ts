import type { PolicyResource } from "../framework/policy.ts";
import { listAt, readString } from "../framework/values.ts";
import { MAIL_DNS } from "./own-resources.ts";

/** From where a domain's mail leaves for the internet. */
export interface Sender {
  /** Addresses, networks, and `include:` with a name; none where the stack does not tell. */
  readonly places: readonly string[];
  /** What says so. */
  readonly where: string;
}

/** The domains whose mail the stack sends, by name. */
export function sendersOf(resources: readonly PolicyResource[]): ReadonlyMap<string, Sender> {
  return new Map(
    resources
      .filter(({ type }) => type === MAIL_DNS)
      .flatMap(({ name, props }) => {
        const places = textsAt(props, "egress");
        const sender = { places, where: `egress of ${name}` };
        return textsAt(props, "domains").map((domain) => [domain.toLowerCase(), sender] as const);
      }),
  );
}

const textsAt = (props: unknown, input: string): string[] =>
  listAt(props, [input]).entries.flatMap(({ path }) => readString(props, path).value ?? []);

/** URLs of the accounts that may order certificates for the mail names. */
export const mailAccountsOf = (resources: readonly PolicyResource[]): string[] =>
  resources.filter(({ type }) => type === MAIL_DNS).flatMap(({ props }) => textsAt(props, "acmeAccounts"));
