/** MTA-STS policies (RFC 8461 §3.2), as Stalwart is to serve them and as texts of the stack. */
import type { PolicyResource } from "../framework/policy.ts";
import { formatPath, listAt, readString, walk, type Path } from "../framework/values.ts";
import { RECORD_TYPES } from "./dns/record-kinds.ts";
import { MAIL_SETTINGS } from "./own-resources.ts";

/** What senders are told to do. */
export interface MtaStsPolicy {
  readonly resource: PolicyResource;
  readonly where: string;
  /** Undefined where it is unknown. */
  readonly mode: string | undefined;
  /** Names of MX hosts, with wildcards; undefined where not all of them are known. */
  readonly mx: readonly string[] | undefined;
  /** The domains whose policy it is; undefined where the stack does not tell. */
  readonly domains: readonly string[] | undefined;
}

/** What Stalwart serves for its domains: without hosts its own name. */
function ofSettings(resource: PolicyResource): MtaStsPolicy {
  const { props } = resource;
  const textAt = (path: Path) => readString(props, path).value?.toLowerCase();
  const stated = listAt(props, ["settings", "mtaSts", "mx"]);
  const own = stated.entries.length > 0 ? stated.entries : [{ path: ["settings", "hostname"] }];
  const hosts = own.flatMap(({ path }) => textAt(path) ?? []);
  return {
    resource,
    where: "settings.mtaSts.mx",
    mode: textAt(["settings", "mtaSts", "mode"]),
    mx: stated.known && hosts.length === own.length ? hosts : undefined,
    domains: listAt(props, ["settings", "domains"]).entries.flatMap(
      ({ path }) => textAt([...path, "name"]) ?? [],
    ),
  };
}

/** A line of a policy, within a file or within a string of a config. */
const LINE = /^[\s"'`]*(version|mode|max_age|mx)\s*:\s*([^\s"'`]*)/i;
const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?$/;

/** The policies in a text: what begins with the version, up to the first line of something else. */
export function policiesIn(text: string): Pick<MtaStsPolicy, "mode" | "mx">[] {
  const parts = text
    .replaceAll(/\\r(?=\\n)|\r/g, "")
    .replaceAll("\\n", "\n")
    .split(/(?=\bversion\s*:\s*STSv1\b)/);
  return parts
    .filter((part) => part.startsWith("version"))
    .map((part) => {
      const lines = part.split("\n").map((line) => LINE.exec(line)?.slice(1));
      const own = lines.slice(0, [...lines, undefined].indexOf(undefined));
      const valuesOf = (wanted: string) =>
        own.flatMap(([key = "", value = ""] = []) =>
          key.toLowerCase() === wanted ? [value.toLowerCase()] : [],
        );
      const mx = valuesOf("mx");
      return {
        mode: valuesOf("mode").find((mode) => /^(?:enforce|testing|none)$/.test(mode)),
        // What is filled in later is no host's name yet.
        mx: mx.every((host) => HOST.test(host)) ? mx.map((host) => host.replace(/\.$/, "")) : undefined,
      };
    });
}

const ofTexts = (resource: PolicyResource): MtaStsPolicy[] =>
  walk(resource.props).leaves.flatMap(({ path, value }) =>
    typeof value === "string" && value.includes("STSv1")
      ? policiesIn(value).map((policy) => ({
          ...policy,
          resource,
          where: formatPath(path),
          domains: undefined,
        }))
      : [],
  );

/** Every policy of the stack. */
export const mtaStsPoliciesOf = (resources: readonly PolicyResource[]): MtaStsPolicy[] =>
  resources.flatMap((resource) =>
    resource.type === MAIL_SETTINGS
      ? ofSettings(resource)
      : RECORD_TYPES.includes(resource.type)
        ? []
        : ofTexts(resource),
  );
