/** Records as they cross the engine: a text for each domain. */
import type { RecordSets } from "../../lib/dns/record-sets.ts";
import { type CommonRecords, domainsOf, setsOfTexts, textsOf } from "../../lib/dns/record-texts.ts";
import { isRecord, record, strings } from "../../lib/json-values.ts";
import type { Json } from "../plugin/served-resource.ts";

const dkimOf = ({ dkim }: Json) => record(dkim) as CommonRecords["dkim"];

/** As they are where the records are not known, or wrong. */
export const recordsWire = {
  from: (properties: Json): Json => {
    const { records } = properties;
    if (!isRecord(records)) return properties;
    const sets = setsOfTexts(records, dkimOf(properties));
    return { ...properties, records: sets, domains: domainsOf(records) };
  },
  to: ({ domains, ...properties }: Json): Json => {
    const { records } = properties;
    if (!isRecord(records)) return properties;
    const common = { domains: strings(domains), dkim: dkimOf(properties) };
    return { ...properties, records: textsOf(records as RecordSets, common) };
  },
};

/** Whether it is a map of `name TYPE` to lists of values. */
export const isRecords = (records: unknown): boolean =>
  isRecord(records) &&
  Object.entries(records).every(
    ([key, values]) => key.includes(" ") && Array.isArray(values) && strings(values).length === values.length,
  );
