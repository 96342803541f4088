import { posix } from "node:path";

import { UserError } from "../lib/errors.ts";
import { LOGIN_KEY_FILE, LOGIN_KEY_LABEL } from "../lib/tailnet/login-key.ts";
import type { NodeOrder } from "./devices.ts";
import { docker } from "./docker.ts";
import { type ApiAccess, isKeyGood, makeLoginKey } from "./tailscale-api.ts";

/**
 * Gives a sidecar that is not logged in a new key, where its own is spent or has expired. The key
 * that Pulumi has made is left as it is: another one would replace the sidecar, also when it is
 * logged in and needs none.
 *
 * @returns whether there is a new one
 * @throws UserError when the sidecar does not take it
 */
export async function renewLoginKey(access: ApiAccess, order: NodeOrder): Promise<boolean> {
  const { dockerHost, container } = order;
  const id = await loginKeyOf(order);
  if (id === "" || (await isKeyGood(access, id))) return false;
  const { dir, base } = posix.parse(LOGIN_KEY_FILE);
  // As an archive, which Docker takes also while the container waits between two failed starts.
  const archive = tarOf(base, await makeLoginKey(access, order.tag));
  const copied = await docker(dockerHost, ["cp", "-", `${container}:${dir}`], 30, archive);
  if (copied.status !== 0)
    throw new UserError(`${container} takes no new login key: ${copied.stderr.trim()}`, {
      hint: `look at: docker --host ${dockerHost} inspect ${container}`,
    });
  // The wait may be a minute by now.
  await docker(dockerHost, ["restart", "--time", "1", container], 30);
  return true;
}

/**
 * The id of the single-use key that a sidecar was made with; "" where it makes its own keys. A
 * label tells it: at the first preview it is unknown, and would keep policies from judging a
 * command's input.
 */
async function loginKeyOf({ dockerHost, container }: NodeOrder): Promise<string> {
  const format = `{{index .Config.Labels "${LOGIN_KEY_LABEL}"}}`;
  const seen = await docker(dockerHost, ["inspect", "--format", format, container], 10);
  if (seen.status !== 0)
    throw new UserError(`docker cannot inspect ${container} on ${dockerHost}: ${seen.stderr.trim()}`);
  return seen.stdout.trim();
}

/** A tar archive with one file that only root may read (POSIX.1-1988, ustar). ASCII alone. */
export function tarOf(name: string, content: string): string {
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0") + "\0";
  const block = (text: string, size = 512) => text.padEnd(Math.ceil(text.length / size) * size, "\0");
  const before = `${name.padEnd(100, "\0")}${octal(0o400, 8)}${octal(0, 8)}${octal(0, 8)}`;
  const sizeAndTime = octal(content.length, 12) + octal(0, 12);
  const after = "0".padEnd(101, "\0") + "ustar\x0000";
  const unsigned = block(before + sizeAndTime + " ".repeat(8) + after);
  const sum = [...unsigned].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const header = block(`${before}${sizeAndTime}${octal(sum, 7)} ${after}`);
  return header + block(content) + "\0".repeat(1024);
}
