// Whether what is published is what mail needs: pure judges, by what a record is for.
import { isDkimRecord } from "../../lib/dns/dkim.ts";
import { type MailRecord, type Purpose, PURPOSES } from "../../lib/dns/record.ts";
import type { RecordType } from "../../lib/dns/record-data.ts";
import { recordSets, setOf } from "../../lib/dns/record-sets.ts";
import { isSpf, spfTerms } from "../../lib/dns/spf-terms.ts";
import { type Finding, fail, ok, warn } from "../check.ts";

/** All wanted records of one name, type and purpose: what a server's answer is held against. */
export interface Wanted {
  name: string;
  type: RecordType;
  purpose: Purpose;
  /** As `recordSets` gives them. */
  values: string[];
}

/** The records of a purpose by their names. */
export const wantedOf = (records: readonly MailRecord[], purpose: Purpose): Wanted[] =>
  Object.entries(recordSets(records.filter((each) => each.purpose === purpose))).map(([key, values]) => ({
    ...setOf(key),
    purpose,
    values,
  }));

/** Purposes of which a name has one record, and how that one begins. */
const SINGLE: Partial<Record<Purpose, (text: string) => boolean>> = {
  spf: isSpf,
  dmarc: (text) => /^v=DMARC1 *(;|$)/i.test(text),
  mtaSts: (text) => /^v=STSv1 *(;|$)/i.test(text),
  tlsRpt: (text) => /^v=TLSRPTv1 *(;|$)/i.test(text),
};

/**
 * What is wrong with what one server publishes; `ok` where nothing is.
 *
 * What is required and missing fails; what only does less than it could is a warning.
 */
export function judgeRecords({ name, type, purpose, values }: Wanted, published: readonly string[]): Finding {
  const [what] = values;
  const is = SINGLE[purpose];
  const found = is ? published.filter(is) : published;
  const shown = found.map((each) => clipped(each)).join(" and ");
  const bad = PURPOSES[purpose].need === "required" ? fail : warn;
  const set = { advice: `publish: ${name} ${type} ${values.join(", ")}` };
  if (found.length === 0) return bad(`${name} has no ${titleOf(purpose)} record`, set);
  if (is && found.length > 1)
    return fail(`${name} has ${found.length} ${titleOf(purpose)} records: ${shown}`, {
      advice: `receivers take two for an error: leave the one that says ${what}`,
    });
  if (purpose === "spf") return judgeSpf(name, what ?? "", found[0] ?? "");
  const isSame = purpose === "dkim" ? isDkimRecord : (one: string, other: string) => one === other;
  const missing = values.filter((each) => !found.some((one) => isSame(one, each)));
  if (missing.length > 0) {
    const differs = `${name} ${type} is ${shown}, and the config says ${missing.map(clipped).join(" and ")}`;
    // Another policy or another id is the owner's, or old: mail comes and goes.
    return is ? warn(differs, set) : bad(differs, set);
  }
  const more = found.filter((each) => !values.includes(each)).map(clipped);
  if (more.length === 0 || type === "TXT") return ok(`${name} ${type} is ${shown}`);
  if (purpose === "host" || purpose === "web")
    return bad(`${name} leads also to ${more.join(", ")}, which is no edge`, set);
  return ok(`${name} ${type} is ${shown}`);
}

/** An SPF record may say more; what the config names must be in it, and before its end. */
function judgeSpf(name: string, wanted: string, published: string): Finding {
  const lower = spfTerms(published.toLowerCase());
  const end = lower.findIndex((term) => /^[+?~-]?all$/.test(term));
  const reached = end === -1 ? lower : lower.slice(0, end);
  const missing = spfTerms(wanted.toLowerCase()).filter(
    (term) => !term.endsWith("all") && !reached.some((each) => each.replace(/^\+/, "") === term),
  );
  if (missing.length === 0) return ok(`${name} is ${clipped(published)}`);
  return fail(`the SPF record of ${name} does not name ${missing.join(", ")}: ${clipped(published)}`, {
    advice: `mail leaves from there, and receivers judge by it. Publish: ${wanted}`,
  });
}

const TITLES: Record<Purpose, string> = {
  host: "A",
  web: "A",
  mx: "MX",
  spf: "SPF",
  dkim: "DKIM",
  dmarc: "DMARC",
  dmarcReports: "DMARC",
  mtaSts: "MTA-STS",
  tlsRpt: "TLS-RPT",
  caa: "CAA",
  srv: "SRV",
};
/** What a purpose's record is called. @example titleOf("mtaSts") === "MTA-STS" */
export const titleOf = (purpose: Purpose): string => TITLES[purpose];

const clipped = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
