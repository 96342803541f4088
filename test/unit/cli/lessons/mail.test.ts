import { describe, expect, test } from "vitest";

import { attemptIn, describeAttempts } from "../../../../cli/lessons/mail.ts";

/** Lines of a real 0.15, shortened. */
const FAILED = `2026-11-28T03:23:32Z INFO Connection error (delivery.connect-error) queueId = 343, to = ["x@elsewhere.test"], domain = "elsewhere.test", hostname = "mx.elsewhere.test", localIp = 0.0.0.0, remoteIp = 203.0.113.40, remotePort = 25, causedBy = SMTP error occurred (smtp.error) { details = "I/O Error", reason = "Connection timed out (os error 110)" }, elapsed = 19553ms`;
const STOOD = `2026-11-28T03:23:32Z INFO Connected (delivery.connect) queueId = 343, domain = "elsewhere.test", hostname = "mailbox.tail.test", localIp = 0.0.0.0, remoteIp = 100.64.0.2, remotePort = 587, elapsed = 1ms`;

describe("Stalwart's log", () => {
  test("tells of each address that it has dialled", () => {
    expect(attemptIn(FAILED)).toEqual([
      {
        host: "mx.elsewhere.test",
        address: "203.0.113.40",
        port: 25,
        error: "Connection timed out (os error 110)",
        ms: 19553,
      },
    ]);
    expect(attemptIn(STOOD)).toEqual([
      { host: "mailbox.tail.test", address: "100.64.0.2", port: 587, ms: 1 },
    ]);
    expect(attemptIn("2026-11-28T03:23:32Z INFO Delivery attempt ended (delivery.attempt-end)")).toEqual([]);
  });

  test("is told in words with family, errno and milliseconds", () => {
    expect(describeAttempts([...attemptIn(FAILED), ...attemptIn(STOOD)])).toBe(
      "mx.elsewhere.test 203.0.113.40:25 (IPv4): Connection timed out (os error 110) after 19553 ms; mailbox.tail.test 100.64.0.2:587 (IPv4): connected after 1 ms",
    );
    expect(describeAttempts([])).toBe("nobody dialled");
  });
});
