// Sends one HTTP request from whichever network namespace it is started in: ApiRequest as JSON on stdin, ApiAnswer on stdout.
import { text } from "node:stream/consumers";

export interface ApiRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

export interface ApiAnswer {
  status: number;
  text: string;
}

const { url, method, headers, body } = JSON.parse(await text(process.stdin)) as ApiRequest;
const response = await fetch(url, {
  method,
  headers,
  ...(body !== undefined && { body }),
  signal: AbortSignal.timeout(20_000),
});
const answer: ApiAnswer = { status: response.status, text: await response.text() };
console.log(JSON.stringify(answer));
