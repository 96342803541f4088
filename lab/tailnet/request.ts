import { fileURLToPath } from "node:url";

import { runInNetns } from "../run.ts";

/** One HTTP request. */
export interface HttpRequest {
  url: string;
  method: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

const CHILD = fileURLToPath(new URL("request-child.ts", import.meta.url));

/**
 * Sends a request from within a network namespace, by a child process. All of it goes over stdin:
 * argv would show the key.
 */
export async function request(netns: string | undefined, order: HttpRequest): Promise<HttpAnswer> {
  const { stdout } = await runInNetns(netns, [process.execPath, CHILD], { stdin: JSON.stringify(order) });
  return JSON.parse(stdout) as HttpAnswer;
}
