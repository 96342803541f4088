/**
 * Input checks of the plugin. The components have parsed everything with zod before the first
 * resource is registered; these hold for programs that use the resource by itself, and are in plain
 * code since loading zod would double the plugin's start-up time, which each preview pays.
 */
import { UNKNOWN } from "../plugin/diff.ts";
import { DEFAULT_API } from "./state.ts";

export type Json = Record<string, unknown>;
export const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const HASH =
  /^(\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$6\$(rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86})$/;

export type Fail = (property: string, reason: string) => void;

export function checkTarget(target: unknown, fail: Fail): void {
  if (target === UNKNOWN) return;
  if (!isMap(target)) return fail("target", "accepts { dockerHost, container }");
  const { dockerHost, container, api } = target;
  if (
    dockerHost !== UNKNOWN &&
    !(typeof dockerHost === "string" && /^(ssh|unix|tcp):\/\/\S+$/.test(dockerHost))
  ) {
    fail("target.dockerHost", "accepts ssh://[user@]host or unix:///path/to/docker.sock");
  }
  // A leading dash would be taken for an option of docker.
  if (
    container !== UNKNOWN &&
    !(typeof container === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(container))
  ) {
    fail("target.container", "accepts a container's name or id, such as stalwart");
  }
  if (
    api !== UNKNOWN &&
    !(typeof api === "string" && /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+$/.test(api))
  ) {
    fail("target.api", `accepts an address inside the container, such as ${DEFAULT_API}`);
  }
}

export function checkAccounts(accounts: unknown, fail: Fail): void {
  if (accounts === UNKNOWN) return;
  if (!isMap(accounts)) return fail("accounts", "accepts a map of login names to { emails, secret }");
  for (const [name, account] of Object.entries(accounts)) {
    if (account === UNKNOWN) continue;
    if (!isMap(account)) {
      fail(`accounts["${name}"]`, "accepts { emails, secret }");
      continue;
    }
    const { secret } = account;
    checkMailbox(`accounts["${name}"]`, account, fail);
    if (!isHash(secret)) fail(`accounts["${name}"].secret`, HASH_ACCEPTED);
  }
}

function checkMailbox(path: string, { emails, quota }: Json, fail: Fail): void {
  if (!isListOf(emails)) fail(`${path}.emails`, "accepts a list with at least one e-mail address");
  if (quota !== undefined && quota !== UNKNOWN && !(Number.isSafeInteger(quota) && Number(quota) > 0))
    fail(`${path}.quota`, "accepts a whole number of bytes, such as 10737418240");
}

/** A list of texts with one at least, as far as it is known. */
export const isListOf = (value: unknown): boolean =>
  value === UNKNOWN ||
  (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string"));

export function checkGroups(groups: unknown, accounts: unknown, fail: Fail): void {
  if (groups === undefined || groups === UNKNOWN) return;
  if (!isMap(groups)) return fail("groups", "accepts a map of names to { emails, members }");
  for (const [name, group] of Object.entries(groups)) {
    const path = `groups["${name}"]`;
    if (group === UNKNOWN) continue;
    if (!isMap(group)) {
      fail(path, "accepts { emails, members }");
      continue;
    }
    checkMailbox(path, group, fail);
    const { members } = group;
    if (!isListOf(members)) fail(`${path}.members`, "accepts a list with at least one account's name");
    if (!isMap(accounts)) continue;
    if (name in accounts) fail(path, "is an account too; accepts another name");
    for (const member of Array.isArray(members) ? (members as unknown[]) : [])
      if (member !== UNKNOWN && !(String(member) in accounts))
        fail(`${path}.members`, `names ${String(member)}, which is none of accounts; declare it too`);
  }
}

const HASH_ACCEPTED = "accepts a bcrypt ($2b$…) or SHA-512 crypt ($6$…) hash, not a password";
const isHash = (secret: unknown): boolean =>
  secret === UNKNOWN || (typeof secret === "string" && HASH.test(secret));

export function checkAdmin(admin: unknown, { accounts, groups }: Json, fail: Fail): void {
  if (admin === undefined || admin === UNKNOWN) return;
  if (!isMap(admin)) return fail("admin", "accepts { name, secret }");
  if (admin.name !== UNKNOWN && !(typeof admin.name === "string" && admin.name !== ""))
    fail("admin.name", "accepts a login name, such as admin");
  if (!isHash(admin.secret)) fail("admin.secret", HASH_ACCEPTED);
  for (const [list, names] of Object.entries({ accounts, groups }))
    if (isMap(names) && String(admin.name) in names)
      fail(`${list}["${String(admin.name)}"]`, "is the administrator's account too; accepts another name");
}

/** Only a lab's program has it, whose config has judged it (config/problems/guards.ts). */
export function checkWithoutGuards(withoutGuards: unknown, fail: Fail): void {
  if (withoutGuards !== undefined && withoutGuards !== UNKNOWN && !isMap(withoutGuards))
    fail("withoutGuards", "accepts a map of lessons, for labs alone; leave it out");
}

/** Whether a lab has left a lesson's guard out. */
export const leavesOut = ({ withoutGuards }: Json, lesson: number): boolean =>
  isMap(withoutGuards) && lesson in withoutGuards;
