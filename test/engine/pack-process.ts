import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

import { credentials } from "@grpc/grpc-js";
import type { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";

/** A policy pack that was started as the engine does it, and ended again. */
export interface StartedPack {
  /** All that it wrote to stdout until half a second after the first line. */
  readonly stdout: string;
  /** Milliseconds until the first line. */
  readonly ms: number;
  /** Ids of the policies that it offers. */
  readonly policies: readonly string[];
}

const require = createRequire(import.meta.url);
const { AnalyzerClient: Client } = require("@pulumi/pulumi/proto/analyzer_grpc_pb.js") as {
  AnalyzerClient: typeof AnalyzerClient;
};
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js") as {
  Empty: new () => Parameters<AnalyzerClient["getAnalyzerInfo"]>[0];
};

/** Asks a pack what policies it has. */
async function policiesAt(port: string): Promise<string[]> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.getAnalyzerInfo(new Empty(), (error, info) =>
        error ? reject(error) : resolve(info.getPoliciesList().map((policy) => policy.getName())),
      );
    });
  } finally {
    client.close();
  }
}

/** Starts a pack, asks it for its policies, and ends it. */
export async function startPack(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<StartedPack> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const exit = once(child, "exit");
  try {
    await Promise.race([once(child.stdout, "data"), exit]);
    const ms = performance.now() - started;
    if (stdout === "") throw new Error(`no port came:\n${stderr}`);
    const [policies] = await Promise.all([policiesAt(stdout.trim()), sleep(500)]);
    return { stdout, ms, policies };
  } finally {
    child.kill();
    await exit;
  }
}
