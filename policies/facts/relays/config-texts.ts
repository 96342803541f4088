/** Relays in the config files of mail programs, of programs that send mail, and in scripts. */
import { isRecord } from "../../../lib/json-values.ts";
import { besidesOf, hostsIn, namesRelay, portIn } from "./settings.ts";

/** A relay that a text names; `at` is the key or the word that names it. */
export interface NamedRelay {
  readonly at: string;
  readonly host: string;
  readonly port: number;
  /** True when the setting carries a login, and is not to be quoted. */
  readonly quiet: boolean;
}

/**
 * One `key = value` of a line, as ini files, YAML, PHP, Ruby, shell and Postfix have them; m4's
 * define(`SMART_HOST', `host'), and blanks between key and value, as msmtp and dma have them.
 */
const KEYED =
  /(?:^|[\s"'`[({,;])(?:([A-Za-z][\w.-]{0,80})["'`\]]{0,4}[ \t]{0,40}(?:=>?|:|,)|(smarthost(?:_port)?|mailhub|relayhost|port)[ \t])[ \t]{0,40}(?:"([^"\n]*)"|'([^'\n]*)'|`([^'\n]*)'|(\[[^\]\s]*\](?::{1,2}\d+)?(?:[ \t]*,[ \t]*\[[^\]\s]*\](?::\d+)?)*|[a-z][\w+.-]{0,20}:\/\/[^\s"'`]+|[^\s"'`;)},&|]+))/gim;
/** Keys of one word that mean a relay in a section or file of that name alone. */
const SECTIONED: readonly (readonly [file: RegExp, key: RegExp, portKey: string])[] = [
  [/^[ \t]*account[ \t]|^[ \t]*defaults[ \t]*$/m, /^[ \t]*host[ \t]+(\S+)/gm, "port"], // msmtp
  [/^[ \t]*\[smtp\][ \t]*$/m, /^[ \t]*\[smtp\][ \t]*$[^[]*?^[ \t]*host[ \t]*=[ \t]*(\S+)/gm, "port"], // Grafana
  [/^[ \t]*action[ \t].*\brelay\b/m, /^[ \t]*action[ \t].*\brelay[ \t]+host[ \t]+"?([^\s"]+)/gm, ""], // OpenSMTPD
  [/^[ \t]*route_list[ \t]*=/m, /^[ \t]*route_list[ \t]*=[ \t]*"?\S+[ \t]+([^\s"]+)/gm, ""], // Exim
];

/** A block of YAML about the server that takes mail, as Authelia, Vikunja and Zitadel have it. */
const BLOCK = /^([ \t]*)["']?(?:smtp|mailer)["']?[ \t]*:[ \t]*\n((?:\1[ \t]+[^\n]*(?:\n|$)|[ \t]*\n)+)/gim;
const IN_BLOCK = /^[ \t]+["']?(host|address|server|port)["']?[ \t]*:[ \t]+["']?([^\s"'#]+)/gim;

/** The host that each such block names, and its port. */
const blocksIn = (text: string): { at: string; value: string; port: string | undefined }[] =>
  [...text.matchAll(BLOCK)].flatMap(([, , block = ""]) => {
    const entries = [...block.matchAll(IN_BLOCK)].map(([, key = "", value = ""]) => [key, value] as const);
    const port = entries.find(([key]) => /^port$/i.test(key))?.[1];
    return entries.filter(([key]) => !/^port$/i.test(key)).map(([at, value]) => ({ at, value, port }));
  });

/** Spares the search where nothing of the kind can be. */
const MAY_NAME_RELAY = /relay|smart_?host|mailhub|mailer|smtp|^[ \t]*(?:host|route_list)[ \t]/im;

/** A name, or an address; with a colon anything else could be a login. */
const isHostLike = (text: string): boolean => /^(?:[\w.-]+|[\da-f:.]+)$/i.test(text);

/** The relays that an unstructured text names. */
export function relaysInText(text: string): NamedRelay[] {
  if (!MAY_NAME_RELAY.test(text)) return [];
  const entries = [...text.matchAll(KEYED)].map(([, key, blank, ...values]) => ({
    key: key ?? blank ?? "",
    value: (values.find((one) => one !== undefined) ?? "").trim(),
  }));
  const values = new Map(entries.toReversed().map(({ key, value }) => [key, value]));
  const keyed = entries
    .filter(({ key }) => namesRelay(key.replaceAll(/[.-]/g, "_"), (name) => values.has(name)))
    .map(({ key, value }) => ({
      at: key,
      value,
      port: values.get(besidesOf(key).find((one) => one !== key && values.has(one)) ?? ""),
    }));
  const sectioned = SECTIONED.filter(([file]) => file.test(text)).flatMap(([, key, portKey]) =>
    [...text.matchAll(key)].map(([, value = ""]) => ({ at: "host", value, port: values.get(portKey) })),
  );
  return [...keyed, ...sectioned, ...blocksIn(text)].flatMap(({ at, value, port }) =>
    hostsIn(value)
      .filter(isHostLike)
      .map((host) => ({ at, host, port: portIn(value, host, port), quiet: value.includes("@") })),
  );
}

/** A route of Stalwart's registry in a plan or a request: `{"@type": "Relay", "address": …}`. */
function routesIn(value: unknown): NamedRelay[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(routesIn);
  if (!isRecord(value) || value["@type"] !== "Relay" || typeof value["address"] !== "string") return inner;
  const host = value["address"];
  return [{ at: "address", host, port: Number(value["port"] ?? 25), quiet: false }, ...inner];
}

/** The relays of a plan: JSON, or one JSON object a line. */
export function relaysInPlan(text: string): NamedRelay[] {
  if (!/"@type"\s*:\s*"Relay"/.test(text)) return [];
  const parsed = (part: string): unknown => {
    try {
      return JSON.parse(part);
    } catch {
      return undefined;
    }
  };
  const whole = parsed(text);
  const parts = whole === undefined ? text.split("\n").map(parsed) : [whole];
  return parts.flatMap(routesIn);
}
