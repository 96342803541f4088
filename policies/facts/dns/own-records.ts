import { parsedRecord } from "../../../lib/json-values.ts";
import { gapAt } from "../../framework/judgement.ts";
import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readString } from "../../framework/values.ts";
import type { RecordKind } from "./record-kinds.ts";
import { listed, type RecordSet, valueOf } from "./record-values.ts";

/**
 * The sets of a resource that holds those of many names: a text for each domain, in JSON, and what
 * the DKIM records of all domains say.
 */
export function setsIn(resource: PolicyResource, kind: RecordKind, input: string): RecordSet[] {
  const made = { resource, elsewhere: false, variant: "" };
  const open = { ...made, type: undefined, name: undefined, values: [] };
  const texts = read(resource.props, input);
  if (!texts.known) return [{ ...open, gaps: [gapAt(input)] }];
  const written = Object.keys(texts.value ?? {}).flatMap((domain): RecordSet[] => {
    const held = read(texts.value, domain);
    const value = held.known ? held.value : undefined;
    // An older state has sets, and no texts.
    const sets =
      typeof value === "string" ? parsedRecord(value) : Array.isArray(value) && { [domain]: value };
    if (!sets) return [{ ...open, gaps: [gapAt(formatPath([input, domain]))] }];
    return Object.keys(sets).map((key) => {
      const [name, type = ""] = key.split(" ");
      const place = `${input}["${key}"]`;
      const values = listed(sets[key], [], kind, type, (path) => place + formatPath(path));
      return { ...made, type, name, ...values };
    });
  });
  const isWritten = new Set(written.map(({ name }) => name));
  // What is in no domain stands under a dot.
  const domains = Object.keys(texts.value ?? {}).filter((domain) => domain !== ".");
  const dkim = read(resource.props, "dkim");
  const selectors = dkim.known ? Object.keys(dkim.value ?? {}) : [];
  const unknown = dkim.known ? [] : [{ ...open, gaps: [gapAt("dkim")] }];
  const common = selectors.flatMap((selector) =>
    domains.flatMap((domain): RecordSet[] => {
      const name = `${selector}._domainkey.${domain}`;
      if (isWritten.has(name)) return [];
      const { value } = readString(resource.props, ["dkim", selector]);
      const where = formatPath(["dkim", selector]);
      const values = value === undefined ? [] : [valueOf(kind, "TXT", where, value)];
      return [{ ...made, type: "TXT", name, values, gaps: value === undefined ? [gapAt(where)] : [] }];
    }),
  );
  return [...written, ...common, ...unknown];
}
