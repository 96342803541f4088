/**
 * A server that somebody else has set up is written over by nobody who has not read what that
 * changes.
 */
import { UserError } from "../../lib/errors.ts";
import { incompletePeople } from "./groups.ts";
import type { RegistryApi, Row, LiveRows } from "./jmap.ts";
import { objectOf, readRows, sameValue, type Write } from "./plan.ts";
import { referredBy } from "./references.ts";
import type { RegistryState } from "./state.ts";

/** How many lines of the list are shown. */
const SHOWN = 20;

/**
 * What a mail server opens by itself at a start without listeners, on every address
 * (common/src/manager/defaults.rs).
 */
const OWN_LISTENERS: Readonly<Record<string, number>> = {
  smtp: 25,
  submissions: 465,
  imaps: 993,
  pop3s: 995,
  sieve: 4190,
  https: 443,
  http: 8080,
};

/**
 * For a deploy that would be the first one: ends it where it would change or destroy what somebody
 * has set up. Only what is there counts: a row that is added takes nothing away.
 *
 * @param plan what the deploy would write
 * @param previous the last deploy, which was to another data store
 * @throws UserError that names each row and property, and no value
 */
export async function refuseTakeOver(
  api: RegistryApi,
  plan: readonly Write[],
  desired: RegistryState,
  previous?: RegistryState,
): Promise<void> {
  const live = await readRows(api, ["AllowedIp", "Domain", "NetworkListener"]);
  if (!isSetUp(live)) return;
  const lines = [
    ...plan.filter(({ kind }) => kind === "destroy").map(({ key }) => `destroy ${key}`),
    ...plan
      .filter(({ kind }) => kind === "update")
      .map(({ key, properties }) => `change ${key}: ${Object.keys(properties).join(", ")}`),
    ...(await changedAccounts(api, live, desired, previous)),
  ];
  if (lines.length === 0) return;
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} more`] : [];
  throw new UserError(
    `${api.transport.name} holds settings that are not tailwart's; nothing was written. This deploy would\n  ` +
      [...lines.slice(0, SHOWN), ...more].join("\n  "),
    {
      path: "settings.takeOver",
      hint:
        "accepts `settings.takeOver: true`, which lets it; or take what is to stay into the config first. " +
        "Domains, accounts and groups that are not declared stay either way, with their mail.",
    },
  );
}

/** A server that nobody has set up has no domain; what it stores by itself is nobody's. */
function isSetUp(live: LiveRows): boolean {
  return [...live].some(([key, row]) => objectOf(key) !== "NetworkListener" || !isOwnListener(row));
}

function isOwnListener({ name, bind }: Row): boolean {
  return sameValue(bind, { [`[::]:${OWN_LISTENERS[String(name)]}`]: true });
}

async function changedAccounts(
  api: RegistryApi,
  live: LiveRows,
  desired: RegistryState,
  previous: RegistryState | undefined,
): Promise<string[]> {
  const { objects, admin } = desired;
  const incomplete = await incompletePeople(api, desired, previous);
  const lines = [...incomplete].map(
    ([name, properties]) => `change Account/${name}: ${properties.join(", ")}`,
  );
  const home = referredBy(objects["SystemSettings"]?.["defaultDomainId"]);
  const domainId = live.get(home ?? "")?.id;
  if (!admin || domainId === undefined) return lines;
  const [there] = await api.find("Account", [{ name: admin.name, domainId }]);
  // He gets the password that the API is logged in with, and the addresses from where he may.
  return there ? [`change Account/${admin.name}: credentials`, ...lines] : lines;
}
