import { randomUUID } from "node:crypto";

import { describe, expect, test } from "vitest";

import { receivedMessages } from "../../lab/smarthost.ts";
import { accountPassword, mailOut, prove } from "../../cli/parts/mail-round-trip.ts";
import { fetchMessage, send } from "../../lab/mail/outside.ts";
import { BLOCKED_SMTP_PORTS } from "../../lab/namespaces.ts";
import { runIn } from "../../lab/machine.ts";
import { container, docker, facts, lab, layout } from "./lab.ts";

describe("mail in", () => {
  test("reaches the edge's port 25 and is read back over its port 993, and Stalwart logs the client's own address", async () => {
    const password = await accountPassword(lab, "alice");
    const since = new Date().toISOString();
    const subject = `in ${randomUUID()}`;
    const to = `alice@${facts.mailDomain}`;
    const at = { host: facts.mailHost, port: 25, secure: false, from: "someone@outside.test" };
    await send(layout, { ...at, to, subject, body: "hello" });
    const login = { host: facts.mailHost, port: 993, user: "alice", pass: password, within: 30 };
    const { source } = await fetchMessage(layout, { ...login, subject });
    expect(source).toContain("hello");
    // Not the edge's, which is all that Stalwart would see without PROXY protocol (lesson 3).
    const log = docker("kvm", "logs", "--since", since, container("stalwart"));
    expect(log).toContain(layout.machines.outside.address);
    expect(source).toContain(layout.machines.outside.address);
  });

  test("may be read over port 143, too, where services has imap", async () => {
    const line = `{ sleep 2; echo a LOGOUT; } | nc -w 5 ${facts.wanAddress} 143 | head -n 1`;
    const { stdout } = await runIn(layout.machines.outside, ["sh", "-c", line], { timeout: 15_000 });
    expect(stdout).toMatch(/^\* OK .*STARTTLS/);
  });

  test("for a domain that is not ours is refused: the edge is no open relay", async () => {
    const order = {
      host: facts.mailHost,
      port: 25,
      secure: false,
      from: "a@outside.test",
      to: "b@elsewhere.test",
    };
    await expect(send(layout, { ...order, subject: "relay", body: "x" })).rejects.toThrow(/5\d\d|relay/i);
  });
});

describe("mail out", () => {
  test("handed in on port 465 reaches the smarthost over the tailnet in one attempt", async () => {
    const password = await accountPassword(lab, "alice");
    const since = new Date().toISOString();
    await mailOut(lab, password);
    const log = docker("kvm", "logs", "--since", since, container("stalwart"));
    const attempts = log
      .split("\n")
      .filter((line) => /delivery\.attempt-start|Delivery attempt started/.test(line));
    expect(attempts, log.slice(-3000)).toHaveLength(1);
    const last = receivedMessages(layout).at(-1) ?? "";
    expect(last).toMatch(/Received: from mail\.lab\.test .*100\./s);
  });

  test.each(BLOCKED_SMTP_PORTS)(
    "straight from the KVM to port %i is dropped, while others get there",
    async (port) => {
      const mail = layout.machines.mail.address;
      const probe = ["nc", "-z", "-w", "2", mail, String(port)];
      expect((await runIn(layout.machines.kvm, probe, { allowFailure: true })).code).not.toBe(0);
      if (port === 25 || port === 587)
        expect((await runIn(layout.machines.edge, probe, { allowFailure: true })).code).toBe(0);
      const inside = ["exec", container("sidecar"), "sh", "-c", `nc -z -w 2 ${mail} ${port} || echo dropped`];
      expect(docker("kvm", ...inside)).toContain("dropped");
    },
  );

  test("mail in and out again, as the proof of `npm run up` does", async () => {
    expect(await prove(lab)).toEqual([expect.stringMatching(/^in:/), expect.stringMatching(/^out:/)]);
  });
});
