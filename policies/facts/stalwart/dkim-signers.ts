/** By keys of which algorithms a Stalwart signs mail (DKIM). */
import { parsedRecord } from "../../../lib/json-values.ts";
import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readString } from "../../framework/values.ts";
import { REGISTRY, SETTINGS } from "../own-resources.ts";
import { stalwartKeys } from "./flat-keys.ts";
import { ifBlockOf } from "./routing.ts";

/** A key that signs. */
export interface Signer {
  readonly where: string;
  /** Undefined where it is not known. */
  readonly algorithm: "rsa" | "ed25519" | undefined;
}

/** What a server signs by. */
export interface Signing {
  /** Keys that sign the same mail, a list for each domain or rule; none is empty. */
  readonly groups: readonly (readonly Signer[])[];
  readonly gaps: readonly NotJudged[];
}

/** Strings of an expression that name no key: keys of the settings, and nothing. */
const NO_ID = /^(?:$|\*$|signature\.)/;
/** Ids as Stalwart's own admin UI makes them; the domain may be put behind. */
const MADE_BY_HAND = /^(rsa|ed25519)-/;

type Algorithm = Signer["algorithm"];

/** `rsa-sha256`, `Dkim1RsaSha256`; what signs by DKIM2 is another header (stalwart 0.16). */
function algorithmIn(text: string | undefined): Algorithm {
  return /^(?:Dkim1)?(rsa|ed25519)-?sha256$/i.exec(text ?? "")?.[1]?.toLowerCase() as Algorithm;
}

function fromKeys(resource: PolicyResource): Signing {
  const keys = stalwartKeys(resource);
  const block = ifBlockOf(keys, "auth.dkim.sign");
  const gaps = keys.gaps
    .filter(({ key }) => key === undefined || key.startsWith("auth.dkim.sign"))
    .map(({ where, because }) => ({ where, because }));
  if (block.kind !== "rules") return { groups: [], gaps };
  const groups = block.rules.map(({ where, value = "" }) =>
    [...value.matchAll(/'([^']*)'|"([^"]*)"/g)]
      .map(([, one, other]) => one ?? other ?? "")
      .filter((id) => !NO_ID.test(id))
      .map((id): Signer => {
        const declared = keys.values.get(`signature.${id}.algorithm`);
        return { where, algorithm: algorithmIn(declared) ?? (MADE_BY_HAND.exec(id)?.[1] as Algorithm) };
      }),
  );
  return { groups: groups.filter(({ length }) => length > 0), gaps };
}

function fromRegistry({ props }: PolicyResource): Signing {
  const objects = read(props, "objects");
  if (!objects.known) return { groups: [], gaps: [gapAt("objects")] };
  const rows = Object.keys((objects.value ?? {}) as object)
    .filter((key) => key.startsWith("DkimSignature/"))
    .flatMap((key) => {
      const held = read(objects.value, key);
      const value = held.known ? held.value : undefined;
      // A row of which each domain has its own is a text; in older states it is as the others.
      const row = typeof value === "string" ? parsedRecord(value) : value;
      const [kind, stage] = [readString(row, ["@type"]), readString(row, ["stage"])];
      // A new row signs.
      const isPassive = stage.known && (stage.value ?? "active") !== "active";
      if (isPassive || kind.value?.startsWith("Dkim2")) return [];
      const [reference, id] = [["domainId", "#ref"], ["domainId"]].map((path) => readString(row, path));
      return [
        {
          domain: reference?.value ?? id?.value,
          where: formatPath(["objects", key, "@type"]),
          algorithm: stage.known ? algorithmIn(kind.value) : undefined,
        },
      ];
    });
  return { groups: [...Map.groupBy(rows, ({ domain }) => domain).values()], gaps: [] };
}

/** What a resource says of a server's signing; undefined where it is no server's settings. */
export function signingOf(resource: PolicyResource): Signing | undefined {
  if (resource.type === SETTINGS) return fromKeys(resource);
  return resource.type === REGISTRY ? fromRegistry(resource) : undefined;
}
