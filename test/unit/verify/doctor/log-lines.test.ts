import { expect, test } from "vitest";

import { acmeTrouble, addressOfEhlo, lastAlert, readLog } from "../../../../verify/doctor/log-lines.ts";

const at = (seconds: number, text: string) =>
  `2026-11-28T02:56:${String(seconds).padStart(2, "0")}.5Z ${text}`;
const STARTED = '2026-11-28T02:56:18Z INFO ACME order started (acme.order-start) hostname = ["*.lab.test"]';
const FAILED =
  '2026-11-28T02:56:19Z WARN ACME DNS record creation failed (acme.dns-record-creation-failed) reason = "Unauthorized"';
const DONE = "2026-11-28T02:56:28Z INFO ACME order completed (acme.order-completed) domain = []";

test("a failed order counts until one is completed", () => {
  const failed = readLog([at(1, STARTED), at(2, FAILED)].join("\n"));
  expect(acmeTrouble(failed)?.text).toBe(FAILED);
  expect(acmeTrouble(readLog([at(1, FAILED), at(2, DONE)].join("\n")))).toBeUndefined();
  expect(acmeTrouble(readLog(at(1, STARTED)))).toBeUndefined();
});

test("a client's address is that of the session that said the name", () => {
  const line = (address: string, name: string) =>
    at(
      1,
      `2026-11-28T02:56:44Z INFO SMTP EHLO command (smtp.ehlo) listenerId = "smtp", localPort = 25, remoteIp = ${address}, remotePort = 53224, domain = "${name}"`,
    );
  const lines = readLog(
    [line("203.0.113.50", "other.invalid"), line("2001:db8::7", "mine.invalid")].join("\n"),
  );
  expect(addressOfEhlo(lines, "mine.invalid")).toBe("2001:db8::7");
  expect(addressOfEhlo(lines, "nobody.invalid")).toBeUndefined();
});

test("the watch's call is the entrypoint's, and no line of the server's that quotes it", () => {
  const alert = "tailwart: ALERT watch: restart 2 in a row; starting over does not cure it";
  const quoted = '2026-11-28T02:56:44Z INFO SMTP EHLO command (smtp.ehlo) domain = "tailwart: ALERT "';
  expect(lastAlert(readLog([at(1, alert), at(2, quoted)].join("\n")))?.text).toBe(alert);
  expect(lastAlert(readLog([at(2, quoted), "half a line without a time"].join("\n")))).toBeUndefined();
});
