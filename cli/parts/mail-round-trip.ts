import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { receivedMessages } from "../../lab/smarthost.ts";
import { fetchMessage, send } from "../../lab/mail/outside.ts";
import { UserError } from "../../lib/errors.ts";
import type { Lab } from "./open-lab.ts";
import { seconds } from "./progress.ts";
import { mustPulumi } from "./pulumi-cli.ts";

/** How long a message may take. Seconds. */
const PATIENCE = 30;

/**
 * The generated password of one of the lab's accounts. All of them are left in the file that
 * `npm run lab -- info` names, for who wants to log in with a mail client.
 */
export async function accountPassword({ layout, stack }: Lab, account: string): Promise<string> {
  const args = ["stack", "output", "accountPasswords", "--show-secrets", "--json", "--stack", stack.name];
  const { stdout } = await mustPulumi(stack, args);
  await writeFile(layout.accountsFile, stdout, { mode: 0o600 });
  const password = (JSON.parse(stdout) as Record<string, string>)[account];
  if (!password)
    throw new UserError(`the stack's output accountPasswords has none of ${account}`, {
      hint: "An account that was there before the stack keeps its own password: docs/deploy.md, Passwords.",
    });
  return password;
}

/** How alice hands a message in: at the edge's port 465. */
export const submission = ({ facts }: Pick<Lab, "facts">, password: string) => ({
  host: facts.mailHost,
  port: 465,
  secure: true,
  auth: { user: "alice", pass: password },
  from: `alice@${facts.mailDomain}`,
});

/** A message from the internet to the edge's port 25, read back over the edge's port 993. */
export async function mailIn(lab: Lab, password: string): Promise<string> {
  const { layout, facts } = lab;
  const start = Date.now();
  const subject = `in ${randomUUID()}`;
  const to = `alice@${facts.mailDomain}`;
  await send(layout, {
    host: facts.mailHost,
    port: 25,
    secure: false,
    from: "someone@outside.test",
    to,
    subject,
    body: "hello",
  });
  await fetchMessage(layout, {
    host: facts.mailHost,
    port: 993,
    user: "alice",
    pass: password,
    subject,
    within: PATIENCE,
  });
  return `in:  outside → edge:25 → Stalwart → edge:993, ${seconds(start)}`;
}

/** A message handed in on the edge's port 465 that reaches the smarthost over the tailnet. */
export async function mailOut(lab: Lab, password: string): Promise<string> {
  const { layout } = lab;
  const start = Date.now();
  const subject = `out ${randomUUID()}`;
  const message = { to: "friend@elsewhere.test", subject, body: "hello" };
  await send(layout, { ...submission(lab, password), ...message });
  for (const deadline = Date.now() + PATIENCE * 1000; ;) {
    const found = receivedMessages(layout).some((message) => message.includes(`Subject: ${subject}`));
    if (found) return `out: edge:465 → Stalwart → tailnet → smarthost:587, ${seconds(start)}`;
    if (Date.now() > deadline)
      throw new UserError(`the smarthost has not received the message within ${PATIENCE} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Proves the stack by delivering mail in both directions. */
export async function prove(lab: Lab): Promise<string[]> {
  const password = await accountPassword(lab, "alice");
  return [await mailIn(lab, password), await mailOut(lab, password)];
}
