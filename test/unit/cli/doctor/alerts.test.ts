import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";

import { News, receiverOf, send } from "../../../../cli/doctor/alerts.ts";
import type { Row } from "../../../../verify/doctor/examine.ts";
import { examination } from "../../../../verify/doctor/report.ts";

const row = (id: string, state: Row["state"], because?: string): Row => ({
  id,
  state,
  from: "namespace",
  lesson: "docs/lessons/01.md",
  seen: `${id} was seen`,
  fix: `mend ${id}`,
  ms: 5,
  ...(because !== undefined && { because }),
});
/** A look at which these fail, and what waits for them is not asked. */
const look = (...red: string[]) =>
  examination(
    "stack prod",
    [
      row("fine", "ok"),
      row("soon", "warn"),
      ...red.map((id) => row(id, "fail")),
      ...red.map((id) => row(`${id}-after`, "unknown", id)),
    ],
    3,
  );

/** Titles of what is told look by look; all of it arrives. */
function titles(looks: string[][]): (string | undefined)[] {
  const news = new News();
  return looks.map((red) => {
    const alert = news.after(look(...red));
    if (alert) news.told(alert);
    return alert?.title;
  });
}

test("what is wrong is told once, at its second look, and its end at once", () => {
  expect(titles([[], ["a"], ["a"], ["a"], [], []])).toEqual([
    undefined,
    undefined,
    "stack prod: a",
    undefined,
    "stack prod works again",
    undefined,
  ]);
});

test("what one look alone has seen is not told", () => {
  expect(titles([["a"], [], ["a"], ["b"], []])).toEqual(Array.from({ length: 5 }, () => undefined));
});

test("what comes on top is told, what is mended beside others is not, and is news when it comes back", () => {
  expect(titles([["a"], ["a"], ["a", "b"], ["a", "b"], ["b"], ["a", "b"], ["a", "b"]])).toEqual([
    undefined,
    "stack prod: a",
    undefined,
    "stack prod: a, b",
    undefined,
    undefined,
    "stack prod: a, b",
  ]);
});

test("what has not arrived is told again", () => {
  const news = new News();
  news.after(look("a"));
  expect(news.isPending).toBe(true);
  expect(news.after(look("a"))?.text).toBe("a: a was seen\n  fix: mend a");
  const again = news.after(look("a"));
  expect(again?.title).toBe("stack prod: a");
  if (again) news.told(again);
  expect(news.isPending).toBe(false);
  expect(news.after(look("a"))).toBeUndefined();
});

const heard: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
const server = createServer((request, response) => {
  void text(request).then((body) => {
    heard.push({ url: request.url ?? "", headers: request.headers, body });
    response.writeHead(request.url === "/full" ? 507 : 200).end();
  });
});
let base: string;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const ALERT = { title: "stack prod: relay", text: "relay: refused", bad: true };

test("ntfy gets a text with its headers, a webhook JSON whose text has all of it", async () => {
  await send({ kind: "ntfy", url: `${base}/topic` }, ALERT);
  await send({ kind: "webhook", url: `${base}/hook` }, ALERT);
  expect(heard[0]).toMatchObject({
    url: "/topic",
    headers: { title: "stack prod: relay", priority: "high", tags: "rotating_light" },
    body: "relay: refused",
  });
  expect(heard[1]?.headers["content-type"]).toBe("application/json");
  expect(JSON.parse(heard[1]?.body ?? "")).toEqual({ ...ALERT, text: "stack prod: relay\nrelay: refused" });
});

test("a receiver that does not take it is an error that names the host and not the address", async () => {
  await expect(send({ kind: "webhook", url: `${base}/full` }, ALERT)).rejects.toThrow(
    /^127\.0\.0\.1:\d+ answers the alert with HTTP 507$/,
  );
  const away = send({ kind: "webhook", url: "http://127.0.0.1:9/secret-token" }, ALERT);
  await expect(away).rejects.toThrow(/could not be sent to 127\.0\.0\.1:9/);
  await expect(away).rejects.not.toThrow(/secret-token/);
});

test("a receiver is an address of the web, with ntfy: before a topic", () => {
  expect(receiverOf("ntfy:https://ntfy.sh/topic")).toEqual({ kind: "ntfy", url: "https://ntfy.sh/topic" });
  expect(receiverOf("https://example.org/hook")).toEqual({
    kind: "webhook",
    url: "https://example.org/hook",
  });
  expect([receiverOf("mailto:me@example.org"), receiverOf("example.org"), receiverOf("ntfy:topic")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
