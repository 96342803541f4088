// `node lab/fakes/ca-budget-main.ts CONFIG.json`: the fake budget as a server in front of pebble,
// whose links lead back here, since pebble makes them of the Host header.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

import { type Caa, CaBudget } from "./ca-budget.ts";
import { issuanceOf } from "./issuance.ts";
import { type Answer, bodyOf, configuration, log, send, serve, type Listen } from "./serve.ts";

interface Config extends Listen {
  /** Where pebble is. */
  upstream: { host: string; port: number };
  /** The lab CA's root, by which pebble's own certificate is good. */
  ca: string;
  /** The name server that knows CAA records. */
  dns: string;
  /** The CA's own name in CAA records. */
  identity: string;
  /** Where each certificate is noted, for certspotter. */
  issuances: string;
}

const { upstream, ca, dns, identity, issuances, ...listen } = configuration<Config>();
const resolver = new Resolver();
resolver.setServers([dns]);
const budget = new CaBudget(identity, async (name) => {
  try {
    return (await resolver.resolveCaa(name)) as Caa[];
  } catch (error) {
    if (["ENODATA", "ENOTFOUND"].includes(String((error as NodeJS.ErrnoException).code))) return [];
    // As a real CA: what cannot be looked up forbids (RFC 8659 §5.4).
    log(`CAA of ${name}: ${String(error)}`);
    return [{ critical: 0, issue: ";" }];
  }
});

serve(listen, (request, response) => {
  answer(request)
    .then(({ answer: { status, headers = {}, json }, bytes }) => {
      log(`${request.method} ${request.url} ${status}`);
      if (bytes === undefined) return send(response, { status, headers, json });
      response.writeHead(status, headers).end(bytes);
    })
    .catch((error: unknown) => {
      log(`${request.method} ${request.url} failed: ${String(error)}`);
      response.destroy();
    });
});

async function answer(request: IncomingMessage): Promise<{ answer: Answer; bytes?: Buffer }> {
  const { method = "", headers } = request;
  // What is left is nobody's to ask at a real CA: this path is the fake's own.
  if (request.url === "/fake/left") return { answer: { status: 200, json: budget.left() } };
  const body = await bodyOf(request);
  const asked = { method, url: `https://${headers.host}${request.url}`, body };
  const refused = await budget.refusal(asked);
  if (refused) {
    const detail = (refused.json as { detail: string }).detail;
    log(`refused: ${detail}`);
    const extra = { "content-type": "application/problem+json", "replay-nonce": await nonce(headers.host) };
    return { answer: { ...refused, headers: { ...refused.headers, ...extra } } };
  }
  const passed = await forward(method, request.url ?? "", headers, body);
  const text = passed.body.toString("utf8");
  budget.note(asked, { status: passed.status, location: passed.headers.location, body: text });
  if (text.startsWith("-----BEGIN CERTIFICATE-----")) noteIssuance(text);
  const kept = Object.entries(passed.headers).filter(([name]) => name !== "transfer-encoding");
  return {
    answer: { status: passed.status, headers: Object.fromEntries(kept) as Record<string, string> },
    bytes: passed.body,
  };
}

function noteIssuance(pem: string): void {
  const before = existsSync(issuances) ? readFileSync(issuances, "utf8").split("\n").filter(Boolean) : [];
  const issuance = issuanceOf(pem, before.length + 1);
  if (before.some((line) => line.includes(issuance.cert_sha256))) return;
  appendFileSync(issuances, `${JSON.stringify(issuance)}\n`);
}

/** A client whose request was refused needs another nonce (RFC 8555 §6.5). */
async function nonce(host: string | undefined): Promise<string> {
  const { body } = await forward("GET", "/dir", { host }, "");
  const { newNonce } = JSON.parse(body.toString("utf8")) as { newNonce: string };
  const { headers } = await forward("HEAD", new URL(newNonce).pathname, { host }, "");
  return String(headers["replay-nonce"]);
}

function forward(method: string, path: string, headers: IncomingHttpHeaders, body: string) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const servername = String(headers.host).replace(/:\d+$/, "");
    const options = { ...upstream, servername, ca: readFileSync(ca), method, path, headers };
    const asked = httpsRequest(options, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk)).once("error", reject);
      reply.once("end", () =>
        resolve({ status: reply.statusCode ?? 502, headers: reply.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.once("error", reject).end(body);
  });
}
