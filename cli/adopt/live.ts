import { UserError } from "../../lib/errors.ts";
import { RegistryResource } from "../../provider/registry/resource.ts";
import type { RegistryState } from "../../provider/registry/state.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { type Flat, flatten } from "./settings.ts";

interface Exported {
  deployment?: { resources?: { type: string; outputs?: unknown }[] };
}

/**
 * What the server of a deployed stack has of its declared settings now.
 *
 * @param exported what `pulumi stack export` prints
 * @throws UserError when the stack has no settings, or its server does not answer
 */
export async function liveSettings(exported: string): Promise<Flat> {
  const { deployment } = JSON.parse(exported) as Exported;
  const find = (type: string) => deployment?.resources?.find((resource) => resource.type === type)?.outputs;
  const keys = find("tailwart:mail:Settings") as SettingsState | undefined;
  const rows = find("tailwart:mail:Registry") as RegistryState | undefined;
  const target = keys?.target ?? rows?.target;
  if (!target)
    throw new UserError("the stack has no settings of Stalwart yet", { hint: "Deploy it first: pulumi up" });
  // Accounts and domains are no settings: the owner of an account may change it.
  const live = keys
    ? await new SettingsResource().read({ ...keys, fileSettings: {}, domains: [], accounts: {} })
    : rows && (await new RegistryResource().read(rows));
  if (!live)
    throw new UserError(`the container ${target.container} is gone from ${target.dockerHost}`, {
      hint: "Make it anew first: pulumi up --refresh",
    });
  return "settings" in live ? live.settings : flatten(live.objects);
}
