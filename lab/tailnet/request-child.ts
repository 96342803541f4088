// Sends one HTTP request from whichever network namespace it is started in: HttpRequest as JSON on
// stdin, HttpAnswer on stdout.
import { text } from "node:stream/consumers";

import type { HttpAnswer, HttpRequest } from "./request.ts";

const { url, method, headers = {}, body } = JSON.parse(await text(process.stdin)) as HttpRequest;
const sent = { method, headers, ...(body !== undefined && { body }), signal: AbortSignal.timeout(20_000) };
const response = await fetch(url, sent);
const answer: HttpAnswer = { status: response.status, text: await response.text() };
console.log(JSON.stringify(answer));
