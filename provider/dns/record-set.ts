/** The resource `tailwart:dns:RecordSet`: the records that mail needs, in the zones themselves. */
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import {
  ownSets,
  planSets,
  type RecordSets,
  rivalsIn,
  type SetPlan,
  setOf,
  WRITERS,
} from "../../lib/dns/record-sets.ts";
import { canonicalName } from "../../lib/dns/record.ts";
import { UserError } from "../../lib/errors.ts";
import type { LeftOut } from "../../lib/guards.ts";
import { PartialError } from "../plugin/partial-error.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import type { Log } from "../plugin/log.ts";
import type { Failure, Json, ServedResource } from "../plugin/served-resource.ts";
import { checkWithoutGuards, leavesOut } from "../server/check.ts";
import { nameOfPlace, type Place, writerAt } from "./places.ts";
import { isRecords, recordsWire } from "./records-on-wire.ts";
import { behindAt } from "./read-back.ts";
import type { RecordsWriter } from "./writer.ts";

/** Its properties, in the program, in the state and between engine and provider. */
export interface RecordSetState {
  writer: Place;
  /** The key's, as the place has it. A Pulumi secret. */
  secret: string;
  records: RecordSets;
  /** Domains whose records stand together where they cross the engine, and that have DKIM keys. */
  domains?: string[];
  /** Selector → what its record says in each of the domains: not in every one's text. */
  dkim?: Record<string, string>;
  /** Of these what somebody else has put there, as a refresh has seen it: that stays theirs. */
  others?: RecordSets;
  /** Sets whose values of somebody else may be replaced. */
  adopt: string[];
  /** Asked in the place of the servers that the DNS names, as `host:port`. */
  servers: string[];
  /** Whether MX, the hosts that these name, and DKIM go with the stack, too. */
  removeOnDestroy: boolean;
  /** Lessons whose guard a lab leaves out: 18, what goes for what comes. */
  withoutGuards?: LeftOut;
}

const PROPERTIES = [
  "writer",
  "secret",
  "records",
  "domains",
  "dkim",
  "adopt",
  "servers",
  "removeOnDestroy",
  "withoutGuards",
];
/** How many records a message lists. */
const TOLD = 10;

export interface RecordSetOptions {
  /** @default by the place's type */
  writerOf?: (state: RecordSetState) => RecordsWriter;
  /** Where what was there is kept. @default `~/.local/state/tailwart/dns` */
  folder?: string;
  /** Milliseconds that a zone's other servers get to become the same. */
  patience?: number;
}

export class RecordSetResource implements ServedResource<RecordSetState> {
  readonly #writerOf: (state: RecordSetState) => RecordsWriter;
  readonly #folder: string;
  readonly #patience: number;

  constructor({ writerOf, folder, patience = 60_000 }: RecordSetOptions = {}) {
    this.#writerOf = writerOf ?? (({ writer, secret }) => writerAt(writer, secret));
    this.#folder =
      folder ?? join(process.env["TAILWART_STATE"] ?? join(homedir(), ".local/state/tailwart"), "dns");
    this.#patience = patience;
  }

  wire = recordsWire;
  withDefaults = (inputs: Json) => ({
    domains: [],
    dkim: {},
    adopt: [],
    servers: [],
    removeOnDestroy: false,
    ...inputs,
  });
  idOf = ({ writer }: RecordSetState) => nameOfPlace(writer);
  /** Records of both declarations may be there, and both are ours. */
  interrupted = (news: RecordSetState, olds: RecordSetState | undefined) => ({
    ...news,
    records: unionOf(ownSets(olds), news.records),
  });

  check(inputs: Json): Failure[] {
    const failures: Failure[] = [];
    const fail = (property: string, reason: string) => void failures.push({ property, reason });
    for (const property of Object.keys(inputs).filter((each) => !PROPERTIES.includes(each)))
      fail(property, `is no property of this resource; accepts ${PROPERTIES.join(", ")}`);
    const { records, writer } = inputs;
    const type = (writer as { type?: unknown } | undefined)?.type;
    if (writer !== UNKNOWN && type !== UNKNOWN && !WRITERS.some((each) => each === type))
      fail("writer.type", `accepts ${WRITERS.join(", ")}`);
    if (records !== UNKNOWN && !isRecords(records))
      fail(
        "records",
        'accepts a map of domains to texts, each in JSON a map of "name TYPE" to lists of values',
      );
    checkWithoutGuards(inputs["withoutGuards"], fail);
    return failures;
  }

  async apply(
    desired: RecordSetState,
    previous: RecordSetState | undefined,
    log: Log,
  ): Promise<RecordSetState> {
    const writer = this.#writerOf(desired);
    const before = ownSets(previous);
    const keys = [...new Set([...Object.keys(desired.records), ...Object.keys(before)])];
    const live = await writer.read(keys);
    const onlyAdds = leavesOut({ ...desired }, 18);
    const plan = (there: RecordSets) => {
      const { changes, foreign } = planSets(there, desired.records, before, desired.adopt);
      if (!onlyAdds) return { changes, foreign };
      const added = changes.filter(({ add }) => add.length > 0);
      return { changes: added.map((each) => ({ ...each, remove: [] })), foreign };
    };
    const { changes, foreign } = plan(live);
    if (foreign.length > 0) throw inTheWay(foreign);
    if (changes.length === 0) return desired;
    const touched = changes.map(({ key }) => key);
    log(`what ${writer.where} had is in ${this.#save(live, touched)}`, "info");
    try {
      await writer.write(changes);
      const now = { ...live, ...(await writer.read(touched)) };
      const wrong = plan(now).changes.map(({ key }) => key);
      if (wrong.length > 0)
        throw new UserError(`${writer.where} took the records, and does not show them: ${listOf(wrong)}`);
    } catch (error) {
      throw new PartialError(error);
    }
    log(`${touched.length} sets of records written at ${writer.where}, and read back`, "info");
    if (onlyAdds) return desired;
    const behind = await behindAt(desired.records, touched, desired.servers, this.#patience);
    for (const line of behind.slice(0, TOLD)) log(line, "warning");
    return desired;
  }

  /** @returns the file's path */
  #save(live: RecordSets, keys: readonly string[]): string {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const file = join(this.#folder, `${new Date().toISOString().replaceAll(":", "")}.json`);
    const kept = Object.fromEntries(keys.map((key) => [key, live[key] ?? []]));
    writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
    return file;
  }

  async read(state: RecordSetState): Promise<RecordSetState> {
    const live = await this.#writerOf(state).read(Object.keys(state.records));
    const own = ownSets(state);
    const [records, others]: [RecordSets, RecordSets] = [{}, {}];
    for (const key of Object.keys(state.records)) {
      const there = rivalsIn(key, live[key] ?? []);
      const theirs = there.filter((value) => !own[key]?.includes(value));
      // In the declaration's order, so that only real differences show.
      const values = [...(own[key] ?? []).filter((value) => there.includes(value)), ...theirs];
      if (values.length > 0) records[key] = values;
      if (theirs.length > 0) others[key] = theirs;
    }
    const { others: _, ...rest } = state;
    return { ...rest, records, ...(Object.keys(others).length > 0 && { others }) };
  }

  /**
   * MX, the hosts that these name, and DKIM stay unless told: mail that is under way would bounce
   * without the former, since nobody waits for a name that is not there (RFC 5321 §5.1), and fail
   * DMARC without the latter.
   */
  async delete(state: RecordSetState, log: Log): Promise<void> {
    const own = ownSets(state);
    const stays = outlivingIn(own);
    const going = Object.entries(own).filter(([key]) => state.removeOnDestroy || !stays(key));
    const ours = Object.fromEntries(going);
    const writer = this.#writerOf(state);
    const live = await writer.read(Object.keys(ours));
    const { changes } = planSets(live, {}, ours, []);
    if (changes.length === 0) return;
    log(`what ${writer.where} had is in ${this.#save(live, Object.keys(ours))}`, "info");
    await writer.write(changes);
    const left = Object.keys(own).length - going.length;
    log(
      `${changes.length} sets of records taken away${left > 0 ? "; MX, its hosts and DKIM stay" : ""}`,
      "info",
    );
  }
}

/** Every value of either. */
function unionOf(one: RecordSets, other: RecordSets): RecordSets {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, [...new Set([...(one[key] ?? []), ...(other[key] ?? [])])]]),
  );
}

/** Whether a set stays for mail that is under way. */
function outlivingIn(records: RecordSets): (key: string) => boolean {
  const exchanges = Object.entries(records).flatMap(([key, values]) =>
    setOf(key).type === "MX" ? values.map((value) => canonicalName(value.split(" ")[1] ?? "")) : [],
  );
  return (key) => {
    const { name, type } = setOf(key);
    const isAddress = type === "A" || type === "AAAA";
    return type === "MX" || name.includes("._domainkey.") || (isAddress && exchanges.includes(name));
  };
}

const listOf = (names: readonly string[]) =>
  names.slice(0, TOLD).join(", ") + (names.length > TOLD ? ` and ${names.length - TOLD} more` : "");

function inTheWay(foreign: SetPlan["foreign"]): UserError {
  const lines = foreign
    .slice(0, TOLD)
    .flatMap(({ key, live, wanted }) => [
      `${key}`,
      ...live.map((value) => `  there is: ${value}`),
      ...wanted.map((value) => `  wanted:   ${value}`),
    ]);
  return new UserError(
    `the DNS has records that are not tailwart's where its own are to be; nothing was written:\n  ${lines.join("\n  ")}`,
    {
      path: "tailwart:dns.adopt",
      hint: `Take into the config what is to stay, then let the rest be replaced (npm run adopt -- dns): accepts tailwart:dns: { adopt: ${JSON.stringify(foreign.map(({ key }) => key).slice(0, TOLD))} }`,
    },
  );
}
