import type { Transport } from "./transport.ts";

/** Thrown when nothing answers, as opposed to an answer that refuses. */
export class UnreachableError extends Error {}

export interface Question {
  /** How an error calls the request. */
  where: string;
  method: string;
  url: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Milliseconds. */
  deadline: number;
}

/**
 * One request, by the curl beside the server.
 *
 * @throws UnreachableError when nothing answers
 */
export async function askServer(
  transport: Transport,
  { where, method, url, body, deadline }: Question,
): Promise<{ status: number; text: string }> {
  const args = ["--silent", "--show-error", "--max-time", String(Math.ceil(deadline / 1000))];
  args.push("--request", method, "--write-out", "\n%{http_code}");
  if (body !== undefined) args.push("--header", "Content-Type: application/json", "--data-binary", "@-");
  const text = body === undefined ? undefined : JSON.stringify(body);
  // The URL goes last and after --url, so that no part of it can be taken for an option.
  const result = await transport.curl([...args, "--url", url], text, deadline + 5_000);
  if (result.status !== 0) {
    const reason = result.status === 124 ? `no answer within ${deadline / 1000} s` : result.stderr.trim();
    throw new UnreachableError(`${where}: ${reason || `curl ended with ${result.status}`}`);
  }
  const split = result.stdout.lastIndexOf("\n");
  return { status: Number(result.stdout.slice(split + 1)), text: result.stdout.slice(0, split) };
}
