import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";

import type { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import type * as analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";

import { UserError } from "../../lib/errors.ts";
import { grpc, Struct } from "../../provider/plugin/protocol.ts";
import type { BenchResource } from "./resources.ts";

const require = createRequire(import.meta.url);
const messages = require("@pulumi/pulumi/proto/analyzer_pb.js") as typeof analyzer;
const { AnalyzerClient: Client } = require("@pulumi/pulumi/proto/analyzer_grpc_pb.js") as {
  AnalyzerClient: typeof AnalyzerClient;
};

const TYPES = {
  Command: "command:local:Command",
  Container: "docker:index/container:Container",
  Network: "docker:index/network:Network",
  Volume: "docker:index/volume:Volume",
} as const;
const HOST = { host: "unix:///nowhere/docker.sock", disableDockerDaemonCheck: "true" };
/** As much as the engine takes: a whole stack is one message. */
const LIMITS = { "grpc.max_receive_message_length": 2 ** 28, "grpc.max_send_message_length": 2 ** 28 };

/**
 * Times a pack's answers to what the engine asks in a preview of the resources: about each whether
 * it is to be remedied and whether it is good, one after the other, and in the end about the stack.
 * The engine waits for each of them. Without the engine, since a preview takes now some seconds
 * more, now less, and the policies' part of it is below that.
 *
 * @param pack an executable policy pack
 * @returns milliseconds, the pack's start not among them
 * @throws UserError with what the pack wrote, if it does not start
 */
export async function timeAnswers(pack: string, resources: readonly BenchResource[]): Promise<number> {
  const child = spawn(process.execPath, [pack], { stdio: ["ignore", "pipe", "pipe"] });
  const exit = once(child, "exit");
  try {
    const client = new Client(
      `127.0.0.1:${await portOf(child, exit)}`,
      grpc.credentials.createInsecure(),
      LIMITS,
    );
    const start = performance.now();
    for (const resource of resources) {
      const request = fill(new messages.AnalyzeRequest(), resource);
      await answer((done) => client.remediate(request, done));
      await answer((done) => client.analyze(request, done));
    }
    const stack = new messages.AnalyzeStackRequest();
    stack.setResourcesList(resources.map((resource) => fill(new messages.AnalyzerResource(), resource)));
    await answer((done) => client.analyzeStack(stack, done));
    client.close();
    return performance.now() - start;
  } finally {
    child.kill();
    await exit;
  }
}

async function portOf(child: ChildProcess, exit: Promise<unknown>): Promise<string> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const port = once(child.stdout!, "data").then(([chunk]: Buffer[]) => String(chunk).trim());
  const ended = exit.then(() => {
    throw new UserError(`the policy pack ended before it said its port:\n${stderr}`);
  });
  return Promise.race([port, ended]);
}

const answer = <Response>(ask: (done: (error: Error | null, response: Response) => void) => void) =>
  new Promise<Response>((resolve, reject) => {
    ask((error, response) => (error ? reject(error) : resolve(response)));
  });

function fill<Message extends analyzer.AnalyzeRequest | analyzer.AnalyzerResource>(
  message: Message,
  { kind, name, args }: BenchResource,
): Message {
  const urnOf = (type: string, of: string) => `urn:pulumi:bench::bench::${type}::${of}`;
  message.setType(TYPES[kind]);
  message.setName(name);
  message.setUrn(urnOf(TYPES[kind], name));
  message.setProperties(Struct.fromJavaScript(args as Parameters<typeof Struct.fromJavaScript>[0]));
  message.setOptions(new messages.AnalyzerResourceOptions());
  if (kind === "Command") return message;
  const provider = new messages.AnalyzerProviderResource();
  provider.setType("pulumi:providers:docker");
  provider.setName("docker");
  provider.setUrn(urnOf("pulumi:providers:docker", "docker"));
  provider.setProperties(Struct.fromJavaScript(HOST));
  message.setProvider(provider);
  return message;
}
