/** Parts of a config that a script sends to Caddy's admin API: https://caddyserver.com/docs/api */
import { isRecord, record, type Json } from "../../../lib/json-values.ts";
import type { Run } from "../shell/output.ts";
import { runsOf } from "../shell/run.ts";

/** What a script sends: the parts put together, and what of it is not in the script. */
export interface SentParts {
  readonly config: Json | undefined;
  readonly gaps: readonly string[];
}

/**
 * The path of a part, such as apps/layer4/servers/smtp; or a part by its `@id`. The server may be
 * a variable, whose value is OPEN (\0).
 */
const PART = /(?:^|[\w\]}\0]|:\/\/[^\s/]*)\/(?:config\/(apps(?:\/[^\s'"?#,)]*)?)|(id)\/[^\s'"?#,)]+)/;
const CLIENT = /^(?:\S*\/)?(?:curl|wget|https?|xh|xhs)$/;
/** Options by which such a client sends something. */
const SENDS =
  /^(?:-d|--data[\w-]*|--json|-T|--upload-file|--(?:post|body)-(?:data|file)|-F|--raw)(?:=|$)|^-d.|^(?:-X|--\w+=)?(?:PUT|POST|PATCH)$/;
const REMOVES = /^(?:DELETE|GET|-XDELETE|--method=DELETE|--request=DELETE)$/;
const OTHERWISE = "sends a part of Caddy's config that is not in this text";

/** The JSON that a command sends; undefined where it comes from elsewhere. */
function payloadOf({ words, input }: Run, parse: (text: string) => unknown): unknown {
  // `--data={…}` and `-d{…}` are one word.
  const texts = [...words, ...words.map((word) => word.replace(/^-(?:d|-[\w-]+=)/, "")), input];
  return texts
    .filter((text) => /^\s*(?:[{[]|")/.test(text))
    .map(parse)
    .find((value) => value !== undefined);
}

/** A value at a path of the config. Whether a part is a list is seen by what it is called. */
function placed(path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const inner = placed(rest, value);
  // An index, or "..." for all of a list, is one of the list's entries here.
  if (/^\d+$|^\.\.\.$/.test(key)) return Array.isArray(inner) ? inner : [inner];
  const isList = /^(?:routes|handle|match|listen|upstreams|dial|policies|listener_wrappers|automate)$/.test(
    key,
  );
  return { [key]: isList && !Array.isArray(inner) ? [inner] : inner };
}

/** Parts of one script complete each other. */
function together(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return [...(one as unknown[]), ...(other as unknown[])];
  if (!isRecord(one) || !isRecord(other)) return other;
  const all = { ...one };
  for (const [key, value] of Object.entries(other)) all[key] = key in all ? together(all[key], value) : value;
  return all;
}

/**
 * What a script sends to paths of the admin API. A whole config, which is sent to /load, says by
 * itself what it is.
 */
export function sentPartsIn(text: string, parse: (text: string) => unknown): SentParts {
  let config: Json | undefined;
  const gaps: string[] = [];
  if (!/\/config\/apps|\/id\//.test(text)) return { config, gaps };
  const runs = runsOf(["sh", "-c", text], { variables: new Map(), input: "" });
  if (!runs) return { config, gaps: [OTHERWISE] };
  for (const command of runs) {
    const parts = command.words.flatMap((word) => {
      const [, path, id] = (/\s/.test(word) ? undefined : PART.exec(word)) ?? [];
      return path === undefined && id === undefined ? [] : [path];
    });
    const [path] = parts;
    const isClient = command.words.some((word) => CLIENT.test(word));
    const sends = command.words.some((word) => SENDS.test(word));
    if (parts.length === 0 || command.words.some((word) => REMOVES.test(word)) || (isClient && !sends))
      continue;
    const payload = isClient ? payloadOf(command, parse) : undefined;
    const isCaddys = path !== undefined || /caddy|:2019/i.test(command.words.join(" "));
    if (payload === undefined || path === undefined) {
      if (isCaddys) gaps.push(OTHERWISE);
      continue;
    }
    const keys = path.split("/").filter((key) => key !== "");
    config = record(together(config ?? {}, placed(keys, payload)));
  }
  return { config, gaps };
}
