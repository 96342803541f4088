import { gapOf, unjudged } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { formatPath, UNKNOWN_AT_PREVIEW, walk, type Gap, type Leaf, type Path } from "../framework/values.ts";
import { textsOf, type TextPiece } from "../facts/decoded-texts.ts";
import { isOwn } from "../facts/own-resources.ts";
import { passwordsInLists } from "../facts/secrets/argument-lists.ts";
import { assignedSecretsIn } from "../facts/secrets/assignments.ts";
import { whatsOfLabel } from "../facts/secrets/labels.ts";
import { isLiteralSecret, isLogin, isSecretName } from "../facts/secrets/literals.ts";
import { isSuspicious, secretShapesIn } from "../facts/secrets/shapes.ts";

export const secretsNotInPlainSight = definePolicy({
  id: "secrets-not-in-plain-sight",
  description:
    "Passwords, keys and tokens stand in secrets of the stack, or are referred to, and nowhere else.",
  severity: "critical",
  enforcementLevel: "mandatory",
  remediation:
    "Turn the value into a secret of the stack and roll it: the old one is in the repository's history.",
  url: "https://www.pulumi.com/docs/iac/concepts/secrets/",
  why: "a literal can be read by all who see the program, its previews or its state",
  portable: true,
  seesSecrets: true,
  judgeResource: judge,
});

const READ_TYPES =
  /^(?:docker|docker-build|command|tailwart):|^tailscale:index\/acl:Acl$|^pulumi:providers:(?:docker|docker-build|command|tailwart)$/;

/** Files whose whole content is one secret. */
const SECRET_FILE = /(?:^|\/)secrets?\/[^/]+$|\.(?:password|passwd|token|secret|key)$/i;
/**
 * An S3 key's id under Stalwart's name for it, in tailwart's own resources: the secret of the key
 * is named by its file. What looks like a secret is one there as well.
 */
const KEY_ID = /^(?:settings\.blobStore\.accessKey|(?:fileS|s)ettings\["store\.[^."]+\.access-key"\])$/;
/** Inputs that take any text. An unknown elsewhere is no secret unless its name says so. */
const FREE_TEXT = /^(?:envs|uploads|environment|stdin|command|entrypoints|create|update|delete|acl)$/;

const INSTEAD =
  "a secret of the stack (`pulumi config set --secret`, pulumi.secret), or a reference to a file or variable, such as %{file:/run/secrets/name}%";

/** Whether a path is, or lies below, one of the secrets. */
const isSecret = (path: Path, secrets: readonly Path[]): boolean =>
  secrets.some((secret) => secret.every((key, i) => key === path[i]));

/** The same inputs with nothing but these leaves, to be decoded. */
function only(leaves: readonly Leaf[]): object {
  const root = Object.create(null) as Record<string | number, unknown>;
  for (const { path, value } of leaves) {
    let here = root;
    path.forEach((key, i) => {
      const next = path[i + 1];
      if (next === undefined) here[key] = value;
      else here = (here[key] ??= typeof next === "number" ? [] : Object.create(null)) as typeof here;
    });
  }
  return root;
}

/** Whether a leaf or its name can hold a secret at all; where none can, nothing is decoded. */
function isSuspiciousLeaf({ path, value }: Leaf): boolean {
  const text =
    path.at(-1) === "contentBase64" ? Buffer.from(String(value), "base64").toString("utf8") : value;
  return [...path, text].some((part) => isSuspicious(String(part)));
}

/** What the text is the value of: its key, or the label, variable or file that its place names. */
function nameOf({ key, where }: TextPiece): string {
  const [, place, member] =
    /^(uploads|labels|source)(?:\[\d+\]\.(?:content(?:Base64)?|value))? \((.+)\)$/.exec(where) ?? [];
  if (member === undefined) return key;
  const isFile = place !== "labels";
  return isFile && SECRET_FILE.test(member) ? "secret" : (member.split("/").at(-1) ?? "");
}

/** What is wrong with one decoded text, without a word of it. */
function whatsOf(piece: TextPiece, type: string): string[] {
  const shapes = isSuspicious(piece.raw) ? secretShapesIn(piece.raw) : [];
  if (shapes.length > 0) return [...new Set(shapes.map(({ what }) => `holds ${what} as plain text`))];
  const [, label] = /^labels\[\d+\]\.value \((.+)\)$/.exec(piece.where) ?? [];
  const ofLabel = label === undefined ? [] : whatsOfLabel(label, piece.raw);
  if (ofLabel.length > 0) return ofLabel;
  // The content of a file with more lines than one is no bare password: its lines are read instead.
  if (isOwn({ type }) && KEY_ID.test(piece.where)) return [];
  if (isSecretName(nameOf(piece)) && !piece.raw.trim().includes("\n"))
    return isLiteralSecret(piece.raw) ? ["is a secret by its name, written as plain text"] : [];
  if (isLogin(nameOf(piece), piece.raw)) return ["holds a user with the password, written as plain text"];
  const names = isSuspicious(piece.raw) ? assignedSecretsIn(piece.raw) : [];
  return names.map((name) => `gives ${name} as plain text`);
}

/** JSON gives each key as a text of its own, before its value: that is a name, no value. */
function valuesOnly(pieces: readonly TextPiece[]): TextPiece[] {
  const keys = new Set<string>();
  return pieces.filter(({ where, key, text }) => {
    const isKey = text === key && / [^()]+$/.test(where) && !keys.has(where);
    if (isKey) keys.add(where);
    return !isKey || (isSuspicious(text) && secretShapesIn(text).length > 0);
  });
}

/** A place without what a key in it gives away. */
const redacted = (where: string): string =>
  secretShapesIn(where).reduce((text, { match }) => text.replaceAll(match, "…"), where);

const findingsOf = (piece: TextPiece, type: string): Finding[] =>
  whatsOf(piece, type).map((what) => ({ where: redacted(piece.where), what, instead: INSTEAD }));

function mayHoldSecret({ path, because }: Gap): boolean {
  if (because !== UNKNOWN_AT_PREVIEW) return false; // a local file, which never enters the state
  return FREE_TEXT.test(String(path[0])) || path.some((key) => typeof key === "string" && isSecretName(key));
}

/** Passwords in lists of words, but for those in words that say it by themselves. */
function inLists(resource: PolicyResource, open: readonly Leaf[], found: readonly Finding[]): Finding[] {
  return passwordsInLists(resource, open)
    .map(({ name, path }) => ({ where: formatPath(path), what: `gives ${name} as plain text` }))
    .filter(({ where }) => !found.some((one) => one.where === where))
    .map((finding) => ({ ...finding, instead: INSTEAD }));
}

/** Every text of a resource that is not marked as a secret. */
function judge(resource: PolicyResource): Verdict {
  const { type, props, secretPaths } = resource;
  if (!READ_TYPES.test(type))
    return { notApplicable: "only docker, command, tailwart resources and the tailnet policy file are read" };
  const { leaves, gaps } = walk(props);
  const open = leaves.filter(({ path }) => !isSecret(path, secretPaths ?? []));
  // Where nothing is left out, the texts are those that other policies read.
  const shown = open.length === leaves.length ? props : only(open);
  const inTexts = open.some(isSuspiciousLeaf)
    ? valuesOnly(textsOf(shown).pieces).flatMap((piece) => findingsOf(piece, type))
    : [];
  const findings = [...inTexts, ...inLists(resource, open, inTexts)];
  const notJudged = gaps
    .filter((gap) => mayHoldSecret(gap) && !isSecret(gap.path, secretPaths ?? []))
    .map(gapOf);
  return secretPaths ? { findings, notJudged } : asked(findings, notJudged);
}

/** Without secret marks (an older engine) what looks like a finding may be a marked secret. */
function asked(findings: readonly Finding[], notJudged: Judgement["notJudged"]): Judgement {
  const because = "looks like a secret, and the engine has not told whether it is marked as one";
  return unjudged(...notJudged, ...findings.map(({ where }) => ({ where, because })));
}
