/**
 * The account through which the API of the 0.15 line is reached, by the provider and by whoever
 * administers. An account of the config file is let in by every protocol on every listener
 * (common/src/auth/mod.rs), so an administrator's password would open IMAP and submission to the
 * internet; one of the data store can be kept from them by its permissions. The entrypoint looks
 * after the time when it is not there yet.
 */
import type { StalwartApi } from "./api.ts";
import type { Log } from "../plugin/log.ts";
import type { AdminState } from "../server/state.ts";

/**
 * What it may not do: log in by a protocol of mail, have or send mail, see other people's mail.
 * Over JMAP and DAV, which ask for no permission of their own at the login, it then sees an empty
 * account. Names: directory/src/lib.rs, `Permission`.
 */
const CLOSED = [
  "imap-authenticate",
  "pop3-authenticate",
  "sieve-authenticate",
  "email-send",
  "email-receive",
  "impersonate",
  "jmap-principal-get",
  "jmap-principal-query",
  "dav-principal-list",
  "dav-principal-search",
];

/** Makes sure of the account. @returns how many times it was written */
export async function syncAdmin(api: StalwartApi, { name, secret }: AdminState, log: Log): Promise<number> {
  const live = await api.principal(name);
  if (!live) {
    log(`making the administrator's account ${name}`);
    const rights = { roles: ["admin"], disabledPermissions: CLOSED };
    await api.createPrincipal({ type: "individual", name, secrets: [secret], ...rights });
    return 1;
  }
  if (live.type !== "individual" || !live.roles.includes("admin"))
    throw new Error(
      `${name} in ${api.transport.name} is somebody else's: it is to be the administrator's account, and has not that role`,
    );
  const closed = CLOSED.every((permission) => live.disabledPermissions.includes(permission));
  const known = live.secrets.includes(secret);
  if (closed && known) return 0;
  log(`updating the administrator's account ${name}`);
  if (!closed) await api.updatePrincipal(name, [setTo(CLOSED)]);
  if (!known) await api.updatePrincipal(name, [{ action: "addItem", field: "secrets", value: secret }]);
  return 1;
}

const setTo = (permissions: string[]) =>
  ({ action: "set", field: "disabledPermissions", value: permissions }) as const;

/**
 * Does what gives others a permission that the administrator has not: nobody can give what he has
 * not himself (management/principal.rs). For that long it has them.
 */
export async function withAllPermissions<T>(
  api: StalwartApi,
  admin: AdminState | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const live = admin && (await api.principal(admin.name));
  if (!live) return run();
  await api.updatePrincipal(live.name, [setTo([])]);
  try {
    return await run();
  } finally {
    await api.updatePrincipal(live.name, [setTo(CLOSED)]);
  }
}
