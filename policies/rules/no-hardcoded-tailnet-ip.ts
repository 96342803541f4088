import { findTailnetAddresses, type TailnetAddress } from "../../lib/tailnet-addresses.ts";
import { gapOf } from "../framework/judgement.ts";
import { definePolicy, type Finding, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { readString, type Gap } from "../framework/values.ts";
import { textsOf, type TextPiece } from "../facts/decoded-texts.ts";

export const noHardcodedTailnetIp = definePolicy({
  id: "no-hardcoded-tailnet-ip",
  description: "No address of a single tailnet node is written down: nodes are named by MagicDNS.",
  severity: "high",
  lesson: 6,
  enforcementLevel: "mandatory",
  remediation:
    "Write the node's MagicDNS name in place of its 100.x or fd7a:115c:a1e0: address; in a policy file its tag.",
  url: "https://tailscale.com/kb/1081/magicdns",
  why: "a node's tailnet address changes when it registers again, and what dials the old one then fails with `Network is unreachable`",
  portable: true,
  judgeResource: judge,
});

/** Providers too: `ssh://root@100.x` as a Docker host is lost when the node registers again. */
const READ_TYPES =
  /^(?:docker|command|tailwart):|^tailscale:index\/acl:Acl$|^pulumi:providers:(?:docker|command|tailwart)$/;

/** Ids, credentials and digests name no host, so that it does not matter if they are unknown. */
const NOT_A_HOST =
  /(?:^(?:id|urn|image|name|networkMode|sourceHash|triggers|pullTriggers|keepers)$|(?:id|ids|key|token|password|secret|digest|hash)$)/i;
const CREDENTIAL_FILE = /(?:^|\/)(?:secrets?\/|auth-?key$)|\.(?:key|pem|crt|curlrc|password|token)$/i;

/**
 * A bare number counts as an address where it is a whole value, but the name it is given may say
 * otherwise: a Unix time of 2023-04-19 to 2023-06-07, a size of 1.57 GiB and the version 100.64.1
 * have the values of 100.64.0.0/10 addresses.
 */
const NAMES_A_QUANTITY =
  /(?:time|date|epoch|stamp|created|updated|modified|expires|_at|size|bytes|memory|limit|count|seed|serial|number|build|version|release|tag|_id)$/i;

function isQuantity(piece: TextPiece, address: TailnetAddress): boolean {
  const bare =
    !address.match.includes(":") &&
    address.match.split(".").length < 4 &&
    piece.text.trim() === address.match;
  return bare && (NAMES_A_QUANTITY.test(piece.key) || /[a-z](?:At|Id)$/.test(piece.key));
}

const BY_NAME =
  "the node's MagicDNS name, such as mailbox.<your tailnet>.ts.net (the range 100.64.0.0/10 and 100.100.100.100 are fine)";

/** What to write where a name is not legal: by the resource's type and the place. */
const ELSEWHERE: readonly (readonly [type: RegExp, where: RegExp, instead: string])[] = [
  [/:Acl$/, /^/, "a tag, such as tag:mail, which the node keeps when it registers again"],
  [/^/, /\.hujson\)/, "a tag, such as tag:mail, which the node keeps when it registers again"],
  [
    /:Container$/,
    /^ports\[\d+\]\.ip/,
    "no published port, and the network namespace of a Tailscale sidecar for the container; or an address of the host's own",
  ],
  [/:Container$/, /^hosts\[\d+\]/, "no entry, and the node's MagicDNS name where it is dialled"],
  [/:Container$/, /^dns\[\d+\]/, "100.100.100.100, where MagicDNS answers on every node"],
  [
    /^tailwart:/,
    /(?:allowed|blocked|trusted|allow)[-_]?(?:ip|networks?|list)/i,
    "a range that the node stays in, such as 100.64.0.0/10 (Stalwart takes no name here)",
  ],
];

const insteadOf = (type: string, where: string): string =>
  ELSEWHERE.find(([types, places]) => types.test(type) && places.test(where))?.[2] ?? BY_NAME;

/** In a plain file also the line: comments that count for nothing leave their lines behind. */
const lineOf = (text: string, match: string): string =>
  text.includes("\n") ? ` line ${text.slice(0, text.indexOf(match)).split("\n").length}` : "";

function findingsOf(piece: TextPiece, type: string): Finding[] {
  const addresses = findTailnetAddresses(piece.text).filter((address) => !isQuantity(piece, address));
  return [...new Set(addresses.map((address) => address.match))].map((match) => ({
    where: piece.where + lineOf(piece.text, match),
    what: `holds ${match}, the address of one tailnet node`,
    instead: insteadOf(type, piece.where),
  }));
}

/** Whether an unknown value could name a host, by what the program calls it. */
function matters({ path }: Gap, { props }: PolicyResource): boolean {
  const [list = "", index = 0] = path;
  const nameIn = (key: string) => readString(props, [list, index, key]).value;
  if (list === "uploads") return !CREDENTIAL_FILE.test(nameIn("file") ?? "");
  if (list === "labels") return !NOT_A_HOST.test(nameIn("label") ?? "");
  return !NOT_A_HOST.test(path.findLast((part) => typeof part === "string") ?? "");
}

/** Every address of one tailnet node in any text of a resource. */
function judge(resource: PolicyResource): Verdict {
  if (!READ_TYPES.test(resource.type)) {
    return { notApplicable: "only docker, command, tailwart resources and the tailnet policy file are read" };
  }
  const { pieces, gaps } = textsOf(resource.props);
  return {
    findings: pieces.flatMap((piece) => findingsOf(piece, resource.type)),
    notJudged: gaps.filter((gap) => matters(gap, resource)).map(gapOf),
  };
}
