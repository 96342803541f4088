import { gapOf } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import {
  UNKNOWN_AT_PREVIEW,
  formatPath,
  perResource,
  read,
  readAt,
  readString,
  type Path,
  walk,
} from "../../framework/values.ts";
import { comesFromLocalFile } from "../docker/uploads.ts";
import { environmentOfCaddy, fillIn } from "./environment.ts";
import { isCaddyJson, readCaddyJson } from "./json.ts";
import { configsElsewhere } from "./on-the-host.ts";
import { configOfLabels } from "./labels.ts";
import {
  configsIn,
  isCaddyName,
  isWorthReading,
  mayHoldConfigs,
  whyUnreadable,
  type CaddyText,
} from "./locate-in-text.ts";
import type { CaddyConfig } from "./model.ts";

export interface CaddyReading {
  readonly configs: readonly CaddyConfig[];
  /** Places that hold a Caddy config and could not be read. */
  readonly gaps: readonly NotJudged[];
}

const MAY_CARRY = /^(?:docker|command|tailwart):/;
export const NO_CADDY = "no Caddy config is in it";

/** Inputs that say when or where something runs, and not what. */
const TAKES_NO_EFFECT = new Set(["triggers", "delete", "connection"]);
/** Where a whole config is written; any other unknown input is no gap. */
const HOLDS_A_CONFIG =
  /^(?:uploads\[\d+\]\.(?:content|contentBase64|source)|uploads(?:\[\d+\])?|stdin|create|update|source|content|environment\.\w*(?:caddy|config)\w*)$/i;

interface Found {
  readonly texts: CaddyText[];
  /** Configs that are no text but an object of a component's args. */
  readonly objects: CaddyConfig[];
  readonly gaps: { readonly path: Path; readonly because: string }[];
  mentionsCaddy: boolean;
}

/** A plain copy; what is unknown at preview is missing in it, and a gap. */
function copy(value: unknown, path: Path, gaps: Found["gaps"]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.keys(value).flatMap((key) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const result = read(value, key);
    if (!result.known) gaps.push({ path: at, because: UNKNOWN_AT_PREVIEW });
    return result.known ? [[key, copy(result.value, at, gaps)] as const] : [];
  });
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

/** A text's place, by name: Docker sorts uploads and envs before a policy sees them. */
function textAt(path: Path, text: string, file: string): CaddyText {
  if (path[0] === "envs" && path.length === 2 && text.includes("=")) {
    const name = text.slice(0, text.indexOf("="));
    return { where: `envs (${name})`, text: text.slice(name.length + 1), name };
  }
  const key = String(path.at(-1));
  if (key !== "content" && key !== "contentBase64") return { where: formatPath(path), text, name: key };
  const where = `${formatPath(path)}${file && ` (${file})`}`;
  return { where, text: key === "content" ? text : Buffer.from(text, "base64").toString("utf8"), name: file };
}

/**
 * Whether anything in the inputs could be a config, be named like one or hide one. Most resources
 * have nothing of the kind, and are asked about by several policies each; {@link search} reads
 * through the SDK's proxies, and takes ten times as long to find nothing.
 */
function mayHoldCaddy(props: object): boolean {
  const { leaves, gaps } = walk(props);
  return (
    gaps.some(({ path }) => path.includes("apps") || HOLDS_A_CONFIG.test(formatPath(path))) ||
    leaves.some(({ path, value }) => {
      const key = String(path.at(-1));
      const isFile = key === "contentBase64" || (key === "source" && path[0] === "uploads" && value !== "");
      return isFile || path.includes("apps") || [String(value), key].some(isWorthReading);
    })
  );
}

function search(props: object): Found {
  const found: Found = { texts: [], objects: [], gaps: [], mentionsCaddy: false };
  const visit = (container: object, path: Path, file: string): void => {
    if ("apps" in container) {
      const gaps: Found["gaps"] = [];
      const object = copy(container, path, gaps);
      if (isCaddyJson(object)) {
        const where = formatPath(path);
        found.objects.push(readCaddyJson(object, where, undefined, gaps.map(gapOf)));
        return;
      }
    }
    const keys = Array.isArray(container) ? [...container.keys()] : Object.keys(container);
    for (const key of keys) {
      if (path.length === 0 && TAKES_NO_EFFECT.has(String(key))) continue;
      const at = [...path, key];
      const result = read(container, key);
      if (!result.known) {
        found.gaps.push({ path: at, because: UNKNOWN_AT_PREVIEW });
      } else if (typeof result.value === "string") {
        found.mentionsCaddy ||= isCaddyName(result.value);
        // The provider fills in an empty one over the whole stack.
        if (key === "source" && path[0] === "uploads" && result.value !== "") {
          found.gaps.push({
            path: at,
            because: comesFromLocalFile(file || "the upload"),
          });
        } else if (key === "contentBase64" || [result.value, file, String(key)].some(isWorthReading)) {
          found.texts.push(textAt(at, result.value, file));
        }
      } else if (typeof result.value === "object" && result.value !== null) {
        if (
          read(result.value, "__pulumiAsset").known &&
          (result.value as { __pulumiAsset?: unknown }).__pulumiAsset === true
        ) {
          const text = readString(result.value, ["text"]).value;
          const name = readString(props, ["remotePath"]).value ?? String(key);
          if (text === undefined)
            found.gaps.push({ path: at, because: "an asset, whose content is only read at deploy" });
          else {
            found.mentionsCaddy ||= isCaddyName(name);
            found.texts.push({ where: `${formatPath(at)} (${name})`, text, name });
          }
          continue;
        }
        const name = path[0] === "uploads" || at[0] === "uploads" ? read(result.value, "file") : undefined;
        visit(result.value, at, name?.known && typeof name.value === "string" ? name.value : file);
      }
    }
  };
  visit(props, [], "");
  return found;
}

/** A few texts with what was read of them: several policies in turn ask the same of a resource. */
const CACHE_SIZE = 64;
const cache = new Map<string, readonly CaddyConfig[]>();

function cached(source: CaddyText): readonly CaddyConfig[] {
  if (!mayHoldConfigs(source)) return [];
  const key = `${source.where}\0${source.name}\0${source.text}`;
  const known = cache.get(key);
  if (known) return known;
  const configs = configsIn(source);
  cache.set(key, configs);
  const [oldest] = cache.keys();
  if (cache.size > CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
  return configs;
}

/** The Caddy configs anywhere in a resource's inputs; undefined when none can be there. */
export const caddyOf = perResource(readingOf, ({ props }) => props);

function readingOf(resource: PolicyResource): CaddyReading | undefined {
  if (!MAY_CARRY.test(resource.type)) return undefined;
  const { props } = resource;
  if (!mayHoldCaddy(props)) return undefined;
  const { texts: raw, objects, gaps, mentionsCaddy } = search(props);
  const environment = environmentOfCaddy(resource);
  const texts = raw.map((source) => ({ ...source, text: fillIn(source.text, environment) }));
  const byLabels = resource.type.startsWith("docker:") ? configOfLabels(resource) : undefined;
  const configs = [...objects, ...texts.flatMap(cached), ...(byLabels ? [byLabels] : [])];
  const unread = gaps.filter(({ path }) => {
    if (!HOLDS_A_CONFIG.test(formatPath(path))) return false;
    const [first, index] = path;
    const name =
      first === "uploads" && path.length === 3
        ? readAt(props, ["uploads", Number(index), "file"])
        : undefined;
    return name?.known && typeof name.value === "string" ? isCaddyName(name.value) : mentionsCaddy;
  });
  const all = [
    ...unread.map(gapOf),
    ...configsElsewhere(resource),
    ...texts.flatMap((source) => {
      const because = whyUnreadable(source);
      return because === undefined ? [] : [{ where: source.where, because }];
    }),
    ...configs.flatMap((config) => config.gaps),
  ];
  return configs.length > 0 || all.length > 0 ? { configs, gaps: all } : undefined;
}

/** What the resources of a stack that carry a Caddy config say. */
export function caddiesOf(
  resources: readonly PolicyResource[],
): (CaddyReading & { readonly resource: PolicyResource })[] {
  return resources.flatMap((resource) => {
    const caddy = caddyOf(resource);
    return caddy ? [{ ...caddy, resource }] : [];
  });
}
