import { UserError } from "../errors.ts";
import type { LeftOut } from "../guards.ts";
import { settingsSchema, settingsSchemaWithout } from "./schema.ts";
import type { StalwartSettings, StalwartSettingsInput } from "./schema.ts";

/**
 * Checks a desired state and fills in its defaults.
 *
 * @param withoutGuards lessons whose guard does not refuse; for labs alone
 * @throws UserError that names each wrong field's path and what it accepts. Values are not
 *   repeated, since a secret may have been pasted into the wrong field.
 * @example
 * parseSettings({ hostname: "mail.example.org", tailnetDomain: "tail7b1641.ts.net", listeners: [{
 *   name: "smtp", protocol: "smtp", port: 25 }], postgres: { host: "the-record-prod" } })
 */
export function parseSettings(input: StalwartSettingsInput, withoutGuards: LeftOut = {}): StalwartSettings {
  const schema =
    Object.keys(withoutGuards).length > 0 ? settingsSchemaWithout(withoutGuards) : settingsSchema;
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const path = issue.path.join(".") || "settings";
    if (issue.code !== "unrecognized_keys") return `${path}: ${issue.message}`;
    return `${path}: there is no field ${issue.keys.join(", ")}; accepts those of docs/settings.md`;
  });
  throw new UserError(`The mail settings are not valid:\n  ${lines.join("\n  ")}`, {
    path: result.error.issues[0]?.path.join(".") ?? "",
  });
}
