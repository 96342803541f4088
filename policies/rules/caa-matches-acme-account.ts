import { issuersOf, LETS_ENCRYPT } from "../../lib/acme-cas.ts";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { caddiesOf } from "../facts/caddy/find.ts";
import { caddyInstances } from "../facts/caddy/instances.ts";
import { caaOf, lets, type Caa, type Orderer } from "../facts/dns/caa.ts";
import { byName, caaFor, type ByName } from "../facts/dns/lookup.ts";
import { areOfMadeZone, recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";
import { RECORD_SET } from "../facts/own-resources.ts";
import { mailAccountsOf } from "../facts/mail-dns.ts";
import { plainName } from "../facts/hosts.ts";
import { stalwartsOf } from "../facts/stalwart/acme-clients.ts";

export const caaMatchesAcmeAccount = definePolicy({
  id: "caa-matches-acme-account",
  description: "CAA records let the CA sign that Stalwart or Caddy orders at, for the account that orders.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation:
    "Name the CA that is ordered at, with the account's own URL as accounturi, or without accounturi.",
  url: "https://www.rfc-editor.org/rfc/rfc8657",
  why: "a CA refuses what CAA does not let it sign, so that the certificate runs out while every renewal fails",
  portable: true,
  judgeStack,
});

/** A name that somebody orders a certificate for. */
interface Order {
  readonly who: string;
  readonly name: string;
  /** The CAs that may be asked, of which one is enough. */
  readonly orderers: readonly Orderer[];
}

function ordersOf(resources: readonly PolicyResource[]): Order[] {
  const accounts = mailAccountsOf(resources);
  const ofStalwart = stalwartsOf(resources).flatMap(({ resource, clients }) =>
    clients.flatMap((client): Order[] => {
      const { directory, challenge } = client;
      const url = directory.known ? (directory.text ?? LETS_ENCRYPT) : "";
      const orderer = { directory: url, challenge: challenge.text?.toLowerCase(), accounts };
      return client.names.flatMap(({ where, text }) =>
        text === undefined
          ? []
          : [{ who: `Stalwart (${resource.name}, ${where})`, name: plainName(text), orderers: [orderer] }],
      );
    }),
  );
  const ofCaddy = caddiesOf(resources).flatMap((caddy) =>
    caddyInstances([caddy]).flatMap(({ orders }) =>
      orders.map(({ where, name, directories }) => ({
        who: `Caddy (${caddy.resource.name}, ${where})`,
        name,
        orderers: directories.map((directory) => ({ directory, challenge: undefined, accounts: [] })),
      })),
    ),
  );
  return [...ofStalwart, ...ofCaddy];
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  if (!sets.some(({ type }) => type === "CAA")) return { notApplicable: "no CAA record is in the stack" };
  const names = byName(sets);
  // What these hold could be nearer to the name, or let the CA sign as well.
  const open = sets.find(({ type, whole }) => !whole && (type === "CAA" || type === undefined));
  return merge(...ordersOf(resources).map((order) => judgeOrder(order, names, open)));
}

function judgeOrder(order: Order, names: ByName, open: OwnedSet | undefined): Judgement {
  const isWild = order.name.startsWith("*.");
  const name = isWild ? order.name.slice(2) : order.name;
  const sets = caaFor(names, name);
  const [first] = sets ?? [];
  if (!sets || !first) return PASS;
  const all = sets.flatMap((set) =>
    set.values.flatMap(({ where, text }) => {
      const caa = caaOf(text);
      return caa ? [{ set, where, caa }] : [];
    }),
  );
  const ofTag = (wanted: string) => all.filter(({ caa }) => caa.tag === wanted);
  const relevant = isWild && ofTag("issuewild").length > 0 ? ofTag("issuewild") : ofTag("issue");
  const gap = sets.find(({ gaps, values }) => gaps.length > 0 || values.length === 0);
  const answers = relevant.map((one) => ({ ...one, answer: best(one.caa, order.orderers) }));
  if (answers.some(({ answer }) => answer === "yes")) return PASS;
  const notJudged = (set: OwnedSet, where: string, what: string): Judgement =>
    at(
      set.resource.urn,
      unjudged({ where, because: `may bar ${order.who} from a certificate for ${order.name}: ${what}` }),
    );
  if (gap) return notJudged(gap, gap.gaps[0]?.where ?? "type", "not all of its values are known");
  const [refused] = answers;
  if (!refused) return PASS;
  const unsure = answers.find(({ answer }) => answer === undefined);
  if (unsure)
    return notJudged(unsure.set, unsure.where, "the CA's name in CAA, or the account's URL, is not known");
  if (open)
    return notJudged(
      refused.set,
      refused.where,
      `${open.resource.name} may be nearer, its name is not known`,
    );
  // A set of tailwart's own is replaced as a whole, but tells nothing of the names below it.
  const isOwn = sets.every(({ resource, owner }) => resource.type === RECORD_SET && owner === name);
  if (!isOwn && !areOfMadeZone(sets))
    return notJudged(
      refused.set,
      refused.where,
      "another record, nearer or beside it, may let the CA sign: the stack does not make the zone",
    );
  // What is nearest to right says best what is wrong.
  const issuers = order.orderers.flatMap(({ directory }) => issuersOf(directory));
  const told = answers.find(({ caa }) => issuers.includes(caa.issuer)) ?? refused;
  const reason = typeof told.answer === "object" ? told.answer.not : "";
  const ca = issuersOf(order.orderers[0]?.directory ?? "")[0] ?? "";
  return at(
    told.set.resource.urn,
    refuse({
      where: told.where,
      what: `${reason}, and ${order.who} orders the certificate for ${order.name} from ${ca}${detailOf(order)}`,
      instead: `0 ${isWild ? "issuewild" : "issue"} "${ca}", or with accounturi= and the URL of the account that orders`,
    }),
  );
}

const detailOf = ({ orderers: [first] }: Order): string =>
  first?.challenge === undefined ? "" : ` by ${first.challenge}`;

/** What is said to the CA that gets furthest. */
function best(caa: Caa, orderers: readonly Orderer[]): ReturnType<typeof lets> {
  const answers = orderers.map((orderer) => lets(caa, orderer));
  return answers.find((answer) => answer === "yes") ?? (answers.includes(undefined) ? undefined : answers[0]);
}
