/**
 * The resource `tailwart:dns:DkimRotation`: which selector's key signs. It lets no key sign that
 * the domains' own servers do not show, and no step of a rotation be left out.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { DKIM_STEPS, type DkimUses, refusedSteps } from "../../lib/dns/dkim-steps.ts";
import { type Answer, answersAt } from "../../lib/dns/answers.ts";
import { authoritiesOf } from "../../lib/dns/authorities.ts";
import { isDkimRecord } from "../../lib/dns/dkim.ts";
import { UserError, wordsOf } from "../../lib/errors.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import type { Log } from "../plugin/log.ts";
import type { Failure, Json, ServedResource } from "../plugin/served-resource.ts";

/** Its properties, in the program, in the state and between engine and provider. */
export interface DkimRotationState {
  /** Selector → what its key is for. */
  uses: DkimUses;
  /** Selector → what its record says. */
  records: Record<string, string>;
  domains: string[];
  /** Asked in the place of the servers that the DNS names, as `host:port`. */
  servers: string[];
}

/** Milliseconds that a zone's servers get to become one, and between two looks. */
const [PATIENCE, PAUSE] = [60_000, 2_000];
/** How many domains are looked at side by side, and how many of those without are told of. */
const [AT_ONCE, TOLD] = [16, 5];

export class DkimRotationResource implements ServedResource<DkimRotationState> {
  readonly #patience: number;

  /** @param patience milliseconds */
  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  withDefaults = (inputs: Json) => ({ servers: [], ...inputs });
  idOf = () => "dkim";
  interrupted = (news: DkimRotationState) => news;
  read = async (state: DkimRotationState) => state;
  delete = async () => undefined;

  check({ uses }: Json, olds: Json): Failure[] {
    if (uses === UNKNOWN) return [];
    const known =
      typeof uses === "object" &&
      uses !== null &&
      Object.values(uses).every((use) => DKIM_STEPS.includes(use));
    if (!known)
      return [{ property: "uses", reason: "accepts a map of selectors to publish, sign or retire" }];
    const before = (olds["uses"] ?? {}) as DkimUses;
    return refusedSteps(uses as DkimUses, before).map(({ selector, reason }) => ({
      property: `uses["${selector}"]`,
      reason: `${reason} (tailwart:dkim.selectors)`,
    }));
  }

  async apply(
    desired: DkimRotationState,
    previous: DkimRotationState | undefined,
    log: Log,
  ): Promise<DkimRotationState> {
    const signers = Object.entries(desired.uses).filter(([, use]) => use === "sign");
    for (const [selector] of signers) await this.#isFound(selector, desired, previous, log);
    return desired;
  }

  /** @throws UserError where a server of a domain does not show the key of a selector */
  async #isFound(
    selector: string,
    desired: DkimRotationState,
    previous: DkimRotationState | undefined,
    log: Log,
  ): Promise<void> {
    const record = desired.records[selector] ?? "";
    const isSeen = previous?.uses[selector] === "sign" && previous.records[selector] === record;
    const seen = new Set(isSeen ? previous.domains : []);
    const unseen = desired.domains.filter((domain) => !seen.has(domain));
    const missing: string[] = [];
    for (let at = 0; at < unseen.length; at += AT_ONCE)
      missing.push(
        ...(
          await Promise.all(
            unseen
              .slice(at, at + AT_ONCE)
              .map((domain) => this.#lacks(`${selector}._domainkey.${domain}`, record, desired.servers)),
          )
        ).flat(),
      );
    if (missing.length > 0) throw unpublished(selector, missing, record);
    if (unseen.length > 0)
      log(`${selector} is published at every server of ${unseen.slice(0, TOLD).join(", ")}`, "info");
  }

  /** What keeps receivers from finding the key; [] when nothing does. */
  async #lacks(name: string, record: string, servers: readonly string[]): Promise<string[]> {
    for (const deadline = Date.now() + this.#patience; ; await sleep(PAUSE)) {
      const lacks = await lacksNow(name, record, servers);
      if (lacks.length === 0 || Date.now() + PAUSE > deadline) return lacks;
    }
  }
}

async function lacksNow(name: string, record: string, servers: readonly string[]): Promise<string[]> {
  try {
    const answers = await answersAt(await authoritiesOf(name, servers), name, "TXT");
    return answers.flatMap((answer) => {
      const what = lackOf(answer, record);
      return what === undefined ? [] : [`${name}: ${answer.server} ${what}`];
    });
  } catch (error) {
    return [`${name}: ${wordsOf(error)}`];
  }
}

function lackOf({ values: texts = [], error }: Answer, record: string): string | undefined {
  if (error !== undefined) return `does not answer (${error})`;
  const [first, ...more] = texts;
  if (first === undefined) return "has no TXT record";
  if (more.length > 0) return `has ${texts.length} TXT records, and receivers take none of several`;
  return isDkimRecord(first, record) ? undefined : "has a record of another key";
}

const unpublished = (selector: string, missing: readonly string[], record: string) =>
  new UserError(
    `the key of ${selector} is to sign, and is not published yet; nothing signs with it:\n  ` +
      [
        ...missing.slice(0, TOLD),
        ...(missing.length > TOLD ? [`… and ${missing.length - TOLD} more`] : []),
      ].join("\n  "),
    {
      path: "tailwart:dkim.selectors",
      hint: `Publish it (npm run dns prints the records), then run \`pulumi up\` again; until then accepts use: publish. It says: ${record}`,
    },
  );
