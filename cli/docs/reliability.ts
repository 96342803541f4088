import { table } from "../../lib/markdown.ts";
import { FAULTS } from "../faults/index.ts";
import { readRecord, RECORD, type Row } from "../faults/record.ts";

const HEAD = `# What breaks, and what becomes of mail

Made by \`npm run docs\` from [reliability.json](reliability.json), which \`npm run lab -- faults --record\` writes: the last
run of each fault in which nothing was wrong. A run that loses a message, is refused with a 5xx, has a copy too many or a line
in a log that nobody expects, is not recorded.

While mail flows in (edge → tailnet → Stalwart → Postgres, from 20 client addresses and as many sender domains as messages)
and every fourth message out (submission → smarthost), something breaks and is taken back. The sender's ledger holds each
attempt with its reply, and is held against mailbox, queue and maildir afterwards.

- **refused**: attempts that the sender had to make again, by a 4xx, a cut connection or silence; nobody sees them but a queue.
- **lost**: taken with 250, and found nowhere. **twice**: second copies: a reply was lost, so the sender tried again, or a
  server was killed between a delivery and the note of it (SMTP delivers at least once). What a relay refuses for good comes
  back to its sender, and counts as neither.
- **refusing**: seconds from the first refusal to the last. **healing**: seconds from the end of the fault to the first message
  that is taken again. **all there**: until the last message was where it belongs; of 1000 the last is sent some 40 s after
  the fault.

Messages that were being delivered when Stalwart was killed carry its lock for ten minutes (a constant of its source, no
setting). On the 0.15 line Stalwart's start script takes those locks away before it starts the server. Two things still take
those ten minutes: a Stalwart of 0.16 and later that is killed, and a *Postgres* that goes while Stalwart stays, since it cannot
take back its locks then. Restarting Stalwart's container (0.15) ends the wait. Mail that the smarthost does not take is tried
again after two minutes, and so is mail whose delivery into the mailbox Postgres refused.

Two things cannot be had in the lab. A clock that is off by an hour: its hosts share the machine's clock, for which Linux has no
namespace, and a program with file capabilities, as Stalwart is, takes no preloaded library. S3 away: its stack keeps messages in
Postgres.
`;

const COLUMNS = [
  "fault",
  "sent",
  "refused",
  "lost",
  "twice",
  "refusing",
  "healing",
  "all there",
  "date",
  "machine",
];

const cells = (row: Row, what: string): string[] => [
  `**${row.fault}**: ${what}`,
  ...[row.sent, row.refusedForNow, row.lost, row.duplicated].map(String),
  ...[row.refusing, row.healing, row.draining].map((seconds) => `${seconds} s`),
  row.date,
  row.machine,
];

/** docs/reliability.md. @param record rows of faults that there are no more are left out */
export function reliabilityDoc(record: readonly Row[] = readRecord()): string {
  const rows = FAULTS.flatMap(({ name, what }) => {
    const row = record.find(({ fault }) => fault === name);
    return row ? [cells(row, what)] : [];
  });
  const missing = FAULTS.filter(({ name }) => !record.some(({ fault }) => fault === name));
  const open = missing.map(({ name, what }) => `- ${name}: ${what}`);
  return [
    HEAD,
    table(COLUMNS, rows),
    ...(open.length > 0 ? ["", `Not in ${RECORD} yet:`, "", ...open] : []),
    "",
  ].join("\n");
}
