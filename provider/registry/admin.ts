/**
 * The account through which the API of 0.16 and later is reached, by the provider and by whoever
 * administers. The administrator of last resort (STALWART_RECOVERY_ADMIN) is let in by every
 * protocol on every listener (common/src/auth/authentication.rs), so his password would open
 * management to the internet. An account's password can be bound to addresses, which the server
 * holds against the client that the edge names. The entrypoint looks after the time when the
 * account is not there yet (lib/stalwart/recovery.sh).
 */
import type { AdminState } from "../server/state.ts";
import { TAILNET_RANGES } from "../../lib/address-ranges.ts";
import type { Log } from "../plugin/log.ts";
import type { RegistryApi, Row } from "./jmap.ts";
import { sameValue } from "./plan.ts";

/** From where he may log in: the machine itself, and the tailnet. */
const FROM = Object.fromEntries(["127.0.0.1", "::1", ...TAILNET_RANGES].map((range) => [range, true]));

/**
 * Makes sure of the account, in the domain whose accounts log in by their names alone. The server
 * shows no hash, so the password is written when it may be another: when it is another one than in
 * the last deploy, and when the API is not reached by the account.
 *
 * @param domainId row of the default domain
 * @returns how many times it was written
 */
export async function syncAdmin(
  api: RegistryApi,
  { name, secret }: AdminState,
  domainId: string,
  rewrite: boolean,
  log: Log,
): Promise<number> {
  const live = (await api.find("Account", [{ name, domainId }]))[0];
  if (!live) {
    log(`making the administrator's account ${name}`);
    const credentials = { 0: { "@type": "Password", secret, allowedIps: FROM } };
    const row = { "@type": "User", name, domainId, roles: { "@type": "Admin" }, credentials };
    await api.set("Account", { create: { admin: row } }, { admin: `Account/${name}` });
    return 1;
  }
  if (!sameValue(live["roles"], { "@type": "Admin" }))
    throw new Error(
      `${name} in ${api.transport.name} is somebody else's: it is to be the administrator's account, and has not that role`,
    );
  const [at, password] = passwordOf(live);
  const changes = {
    ...(rewrite && { [`credentials/${at}/secret`]: secret }),
    ...(!sameValue(password["allowedIps"], FROM) && { [`credentials/${at}/allowedIps`]: FROM }),
  };
  if (Object.keys(changes).length === 0) return 0;
  log(`updating the administrator's account ${name}`);
  await api.set("Account", { update: { [live.id]: changes } }, { [live.id]: `Account/${name}` });
  return 1;
}

/**
 * The password among an account's credentials: its place in the list, and what the server shows of
 * it.
 */
export function passwordOf(row: Row): [at: string, password: Record<string, unknown>] {
  const credentials = Object.entries((row["credentials"] ?? {}) as Record<string, Record<string, unknown>>);
  return credentials.find(([, credential]) => credential["@type"] === "Password") ?? ["0", {}];
}
