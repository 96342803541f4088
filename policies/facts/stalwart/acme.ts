import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt, type Path } from "../../framework/values.ts";
import { MAIL_SETTINGS, SETTINGS } from "../own-resources.ts";
import { stalwartKeys, type StalwartKeys } from "./flat-keys.ts";

/** One setting: its text, none when it is not written, or unknown at preview. */
export interface Setting {
  readonly where: string;
  readonly known: boolean;
  readonly text?: string;
  /** True in the data store, where Stalwart does not expand `%{file:…}%` (boot.rs). */
  readonly raw?: true;
}

/** One ACME client of Stalwart, in the words of its 0.15 line. */
export interface AcmeClient {
  readonly directory: Setting;
  readonly challenge: Setting;
  readonly names: readonly Setting[];
  /** Where the list of names is, and whether all of it could be read. */
  readonly list: { readonly where: string; readonly complete: boolean };
  /** The DNS provider's kind. */
  readonly provider: Setting;
  /** What the provider's API is asked with; each must hold something. */
  readonly secrets: readonly Setting[];
}

export interface AcmeReading {
  readonly clients: readonly AcmeClient[];
  /** Places that may hold a client and could not be read. */
  readonly gaps: readonly NotJudged[];
}

/** A key that makes a client; Stalwart itself keeps `acme.<id>.cert` and `.account-key`. */
const CLIENT = /^acme\.(.+?)\.(?:directory|challenge|domains(?:\.[^.]+)?)$/;

function fromKeys(resource: PolicyResource): AcmeReading {
  const keys = stalwartKeys(resource);
  const maps = keys.gaps.filter((gap) => gap.key === undefined);
  const unknown = keys.gaps.flatMap((gap) => gap.key ?? []);
  const ids = [...keys.values.keys(), ...unknown].flatMap((key) => CLIENT.exec(key)?.[1] ?? []);
  return {
    clients: [...new Set(ids)].map((id) => clientOf(`acme.${id}`, keys)),
    gaps: maps.map(({ where, because }) => ({ where, because })),
  };
}

function clientOf(id: string, keys: StalwartKeys): AcmeClient {
  const mapGap = keys.gaps.find((gap) => gap.key === undefined);
  const setting = (key: string): Setting => {
    const where = keys.where(key);
    const text = keys.values.get(key);
    if (text !== undefined)
      return { where, known: true, text, ...(where.startsWith("settings") && { raw: true }) };
    if (keys.gaps.some((gap) => gap.key === key)) return { where, known: false };
    return mapGap ? { where: mapGap.where, known: false } : { where, known: true };
  };
  const isName = (key: string) => key === `${id}.domains` || key.startsWith(`${id}.domains.`);
  const names = [...keys.values.keys(), ...keys.gaps.flatMap((gap) => gap.key ?? [])].filter(isName);
  const provider = setting(`${id}.provider`);
  return {
    directory: setting(`${id}.directory`),
    challenge: setting(`${id}.challenge`),
    names: names.map(setting),
    list: { where: keys.where(`${id}.domains`), complete: !mapGap },
    provider,
    secrets: [`${id}.secret`, ...(provider.text === "ovh" ? [`${id}.consumer-key`] : [])].map(setting),
  };
}

/** A component names the file alone. */
const asMacro = (setting: Setting): Setting =>
  setting.text?.startsWith("/") ? { ...setting, text: `%{file:${setting.text}}%` } : setting;

function fromArgs({ props }: PolicyResource): AcmeReading {
  const at = (...path: Path): Setting => {
    const value = readAt(props, path);
    const where = formatPath(path);
    if (!value.known) return { where, known: false };
    return value.value === undefined || value.value === null
      ? { where, known: true }
      : { where, known: true, text: String(value.value) };
  };
  const list = listAt(props, ["settings", "acme"]);
  if (!list.known) return { clients: [], gaps: [gapAt("settings.acme")] };
  const provider = at("settings", "dnsProvider", "type");
  const secretKeys = ["secretFile", ...(provider.text === "ovh" ? ["consumerKeyFile"] : [])];
  const clients = list.entries.map(({ path }): AcmeClient => {
    const names = listAt(props, [...path, "names"]);
    return {
      directory: at(...path, "directory"),
      challenge: at(...path, "challenge"),
      names: names.entries.map((name) => at(...name.path)),
      list: { where: `${formatPath(path)}.names`, complete: names.known },
      provider,
      secrets: secretKeys.map((key) => asMacro(at("settings", "dnsProvider", key))),
    };
  });
  return { clients, gaps: [] };
}

/** The ACME clients of a settings resource or component; undefined for any other type. */
export function acmeOf(resource: PolicyResource): AcmeReading | undefined {
  if (resource.type === SETTINGS) return fromKeys(resource);
  return resource.type === MAIL_SETTINGS ? fromArgs(resource) : undefined;
}
