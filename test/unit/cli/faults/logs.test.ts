import { expect, test } from "vitest";

import { NORMAL, SIDECAR_STARTS } from "../../../../cli/faults/allowed.ts";
import { type Component, unexpected } from "../../../../cli/faults/logs.ts";

const LINES: Record<Component, [wrong: string, right: string]> = {
  stalwart: [
    '2026-11-28T03:02:52Z WARN DKIM signer not found (dkim.signer-not-found) localPort = 465, id = "rsa-lab.test"',
    '2026-11-28T03:02:52Z INFO Queued message (queue.queue-message) from = "error@a.test"',
  ],
  sidecar: [
    "2026/11/28 02:56:05 health(warnable=not-in-map-poll): error: Unable to connect",
    "2026/11/28 02:56:05 netcheck: netcheck: UDP is blocked, trying HTTPS",
  ],
  edge: [
    '{"level":"error","ts":1795834555.9,"logger":"layer4","msg":"handling connection"}',
    '{"level":"info","ts":1795834555.9,"msg":"error page served"}',
  ],
  postgres: [
    "2026-11-28 03:00:01.887 GMT [254] FATAL:  sorry, too many clients already",
    "2026-11-28 03:00:01.887 GMT [254] LOG:  connection received: host=100.64.0.4",
  ],
  postfix: [
    "Nov 28 02:56:36 mailbox postfix/smtpd[180]: warning: TLS library problem",
    "Nov 28 02:56:36 mailbox postfix/smtpd[180]: connect from unknown[100.64.0.4]",
  ],
};

test.each(Object.entries(LINES))(
  "%s: what is an error or a warning is found, and nothing else",
  (of, lines) => {
    const log = [lines[1], lines[0], lines[1], lines[0]].join("\n");
    expect(unexpected(of as Component, log, NORMAL)).toEqual([{ line: lines[0], times: 2 }]);
  },
);

test("what a fault may leave is passed over in its own component's log alone", () => {
  const line = LINES.postgres[0];
  const allowed = [{ of: "postgres", line: /too many clients/, why: "they are used up" }] as const;
  expect(unexpected("postgres", line, allowed)).toEqual([]);
  expect(unexpected("stalwart", `2026-11-28T03:02:52Z ERROR ${line}`, allowed)).toHaveLength(1);
});

test("the entrypoint's own words are expected while all is well, and no others", () => {
  const log = [
    "tailwart: gate: Postgres the-record-prod.tail.test:5432 answers",
    "tailwart: watch: SMTP greets on 127.0.0.1:10025",
    "tailwart: watch: no greeting; starting over",
  ].join("\n");
  expect(unexpected("stalwart", log, [])).toEqual([
    { line: "tailwart: watch: no greeting; starting over", times: 1 },
  ]);
});

test("a sidecar that restarts may leave a greeting's question to Postgres unanswered, and no other error", () => {
  const unanswered = `2026-11-28T09:00:00Z ERROR PostgreSQL error (store.postgresql-error) listenerId = "watch", reason = "Error occurred while creating a new object: error connecting to server: No route to host (os error 113)"`;
  expect(unexpected("stalwart", unanswered, SIDECAR_STARTS)).toEqual([]);
  expect(unexpected("stalwart", unanswered, NORMAL)).toHaveLength(1);
  const other = unanswered.replace(/reason.*/, `reason = "db error: ERROR: relation does not exist"`);
  expect(unexpected("stalwart", other, SIDECAR_STARTS)).toHaveLength(1);
});
