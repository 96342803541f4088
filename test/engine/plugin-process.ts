/**
 * The real provider plugin as a process of its own, spoken to as the engine does; Docker is a
 * script that writes down each call and fails.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Failure } from "../../provider/plugin/served-resource.ts";
import { grpc, messages, Struct } from "../../provider/plugin/protocol.ts";

type Json = Record<string, unknown>;
type Call = (request: unknown, done: (error: Error | null, response: CheckResponse) => void) => void;
interface CheckResponse {
  getFailuresList(): { getProperty(): string; getReason(): string }[];
}

const PLUGIN = fileURLToPath(new URL("../../provider/pulumi-resource-tailwart", import.meta.url));
const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));

export class PluginProcess {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #client: { check: Call; checkConfig: Call; close(): void };

  private constructor(folder: string, process: ChildProcess, port: number) {
    this.#folder = folder;
    this.#process = process;
    const { ResourceProviderClient } = sdk("./proto/provider_grpc_pb.js") as {
      ResourceProviderClient: new (address: string, credentials: unknown) => PluginProcess["client"];
    };
    this.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  /** @throws Error when it ends instead of naming its port */
  static async start(): Promise<PluginProcess> {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-plugin-"));
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/docker"), `#!/bin/bash\necho "$*" >>"${folder}/docker.log"\nexit 1\n`, {
      mode: 0o755,
    });
    const PATH = [join(folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
    const child = spawn(PLUGIN, [], { env: { ...process.env, PATH }, stdio: ["ignore", "pipe", "inherit"] });
    const [first] = (await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit").then(() => {
        throw new Error("the plugin ended before it served");
      }),
    ])) as [Buffer];
    return new PluginProcess(folder, child, Number(first.toString().trim()));
  }

  get client() {
    return this.#client;
  }

  /** Calls of docker so far: none of a refused input's may reach a server. */
  get dockerCalls(): string {
    const file = join(this.#folder, "docker.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /**
   * What the plugin has against inputs of a resource, as the engine asks it before anything else.
   */
  check(type: string, inputs: Json): Promise<Failure[]> {
    const urn = `urn:pulumi:test::settings::${type}::settings`;
    return this.#ask("check", new messages.CheckRequest().setUrn(urn).setNews(struct(inputs)));
  }

  /** What it has against being configured anew. */
  checkConfig(olds: Json, news: Json): Promise<Failure[]> {
    return this.#ask("checkConfig", new messages.CheckRequest().setOlds(struct(olds)).setNews(struct(news)));
  }

  #ask(method: "check" | "checkConfig", request: unknown): Promise<Failure[]> {
    return new Promise((resolve, reject) =>
      this.#client[method](request, (error, response) => {
        if (error) return reject(error);
        const failures = response.getFailuresList();
        resolve(failures.map((f) => ({ property: f.getProperty(), reason: f.getReason() })));
      }),
    );
  }

  async stop(): Promise<void> {
    this.#client.close();
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const struct = (value: Json) => Struct.fromJavaScript(value as Parameters<typeof Struct.fromJavaScript>[0]);
