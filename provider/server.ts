/**
 * The plugin's gRPC server. It speaks Pulumi's provider protocol itself instead of through pulumi.provider.main, for three things that has not:
 * a diff per setting, previews that need no call, and errors without a stack.
 * Protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
 */
import type * as Grpc from "@grpc/grpc-js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import type * as StructProto from "google-protobuf/google/protobuf/struct_pb.js";

import { refusedJump } from "../lib/stalwart/line.ts";
import type { Failure } from "./check.ts";
import { diffProperties } from "./diff.ts";
import { idOf, InitFailure, messageOf } from "./failure.ts";
import { EngineLog, type Log } from "./log.ts";
import { Empty, grpc, messages, plugin, services, Struct } from "./protocol.ts";
import { PartialError } from "./write.ts";

const VERSION = "0.1.0";

type Json = Record<string, unknown>;

/** One resource type, as the engine's calls need it. `State` is what stands in the stack's state. */
export interface ServedResource<State = Json> {
  withDefaults(inputs: Json): Json;
  /** Everything that is wrong with the inputs; [] when nothing is. Never repeats a secret. */
  check(inputs: Json): Failure[];
  /** Creation and update are one: bring the server there, from wherever it is. */
  apply(desired: State, previous: State | undefined, log: Log): Promise<State>;
  /** The state after a deploy that failed and could put nothing back. */
  interrupted(news: State, olds: State | undefined): State;
  /** The live server in the terms of the state; undefined when it is gone. */
  read(state: State): Promise<State | undefined>;
  delete(state: State, log: Log): Promise<void>;
}

/** Type token → what serves it. */
export type ServedResources = Readonly<Record<string, ServedResource>>;

type Handler<Q, R> = (request: Q) => Promise<R> | R;

const plain = (struct: StructProto.Struct | undefined): Json =>
  struct ? (struct.toJavaScript() as Json) : {};
const struct = (value: unknown): StructProto.Struct =>
  Struct.fromJavaScript(value as Parameters<typeof Struct.fromJavaScript>[0]);

/** Turns a handler into a gRPC method; a user's mistake reaches the user without a stack. */
function method<Q, R>(handler: Handler<Q, R>): Grpc.UntypedHandleCall {
  const fail = (callback: Grpc.sendUnaryData<R>, error: unknown): void => {
    if (error instanceof InitFailure) return callback(error.status());
    callback({ code: grpc.status.UNKNOWN, details: messageOf(error) });
  };
  const handle: Grpc.handleUnaryCall<Q, R> = ({ request }, callback) => {
    new Promise<R>((resolve) => resolve(handler(request))).then(
      (response) => callback(null, response),
      (error: unknown) => fail(callback, error),
    );
  };
  return handle as Grpc.UntypedHandleCall;
}

/** Every resource of this plugin says where its server is; Check has seen to it. */
const deployed = (state: Json) => state as Json & { target: { container: string } };

/** Brings the server there, and tells a failure that has left something behind from one that has not. */
async function apply(resource: ServedResource, news: Json, olds: Json | undefined, log: Log): Promise<Json> {
  try {
    return await resource.apply(news, olds, log);
  } catch (error) {
    if (!(error instanceof PartialError)) throw error;
    throw new InitFailure(deployed(resource.interrupted(news, olds)), error);
  }
}

function unimplemented(name: string): Grpc.UntypedHandleCall {
  const handle: Grpc.handleUnaryCall<unknown, unknown> = (_call, callback) =>
    callback({ code: grpc.status.UNIMPLEMENTED, details: `${name} is not implemented` });
  return handle as Grpc.UntypedHandleCall;
}

export function implementation(
  served: ServedResources,
  engineLog: EngineLog,
): Grpc.UntypedServiceImplementation {
  const resourceOf = (urn: string): ServedResource => {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const resource = served[type];
    if (resource) return resource;
    throw new Error(`unknown resource type ${type}; this plugin serves ${Object.keys(served).join(", ")}`);
  };
  /** Runs a handler with the log of its resource. */
  const logged = async <T>(urn: string, run: (log: Log) => Promise<T>): Promise<T> => {
    try {
      return await run(engineLog.of(urn));
    } finally {
      await engineLog.flush();
    }
  };
  const configure = () => {
    const response = new messages.ConfigureResponse();
    // The engine strips secrets off on the way in and marks them again on the way out.
    response.setAcceptsecrets(false);
    response.setSupportspreview(true);
    return response;
  };
  return {
    getPluginInfo: method(() => new plugin.PluginInfo().setVersion(VERSION)),
    getSchema: method(() =>
      new messages.GetSchemaResponse().setSchema(JSON.stringify({ name: "tailwart", version: VERSION })),
    ),
    configure: method(configure),
    attach: method(() => new Empty()),
    cancel: method(() => new Empty()),
    check: method((request: Messages.CheckRequest) => {
      const resource = resourceOf(request.getUrn());
      const inputs = resource.withDefaults(plain(request.getNews()));
      const response = new messages.CheckResponse().setInputs(struct(inputs));
      response.setFailuresList(
        resource
          .check(inputs)
          .map(({ property, reason }) =>
            new messages.CheckFailure().setProperty(property).setReason(`${property} ${reason}`),
          ),
      );
      return response;
    }),
    diff: method((request: Messages.DiffRequest) =>
      diff(plain(request.getOlds()), plain(request.getOldInputs()), plain(request.getNews())),
    ),
    create: method(async (request: Messages.CreateRequest) => {
      const inputs = plain(request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview()) return response.setProperties(struct(inputs));
      const urn = request.getUrn();
      const state = await logged(urn, (log) => apply(resourceOf(urn), inputs, undefined, log));
      return response.setId(idOf(deployed(state))).setProperties(struct(state));
    }),
    update: method(async (request: Messages.UpdateRequest) => {
      const news = plain(request.getNews());
      const response = new messages.UpdateResponse();
      if (request.getPreview()) return response.setProperties(struct(news));
      const olds = plain(request.getOlds());
      const urn = request.getUrn();
      const state = await logged(urn, (log) => apply(resourceOf(urn), news, olds, log));
      return response.setProperties(struct(state));
    }),
    read: method(async (request: Messages.ReadRequest) => {
      const olds = plain(request.getProperties());
      if (!("target" in olds))
        throw new Error("settings cannot be imported: deploy them, and what is live is overwritten");
      const state = await resourceOf(request.getUrn()).read(olds);
      if (!state) return new messages.ReadResponse();
      // Inputs too: the engine shows a difference between inputs.
      return new messages.ReadResponse()
        .setId(request.getId())
        .setProperties(struct(state))
        .setInputs(struct(state));
    }),
    delete: method(async (request: Messages.DeleteRequest) => {
      const urn = request.getUrn();
      await logged(urn, (log) => resourceOf(urn).delete(plain(request.getProperties()), log));
      return new Empty();
    }),
    checkConfig: method((request: Messages.CheckRequest) => {
      const response = new messages.CheckResponse().setInputs(request.getNews());
      const reason = refusedJump(plain(request.getOlds()), plain(request.getNews()));
      if (reason) response.addFailures(new messages.CheckFailure().setProperty("line").setReason(reason));
      return response;
    }),
    diffConfig: unimplemented("DiffConfig"),
    handshake: unimplemented("Handshake"),
    parameterize: unimplemented("Parameterize"),
    invoke: unimplemented("Invoke"),
    streamInvoke: unimplemented("StreamInvoke"),
    call: unimplemented("Call"),
    construct: unimplemented("Construct"),
    getMapping: unimplemented("GetMapping"),
    getMappings: unimplemented("GetMappings"),
    list: unimplemented("List"),
  };
}

/** @param oldInputs those of the last deploy that went through: a refresh, or a deploy that was cut off, has left another state */
function diff(olds: Json, oldInputs: Json, news: Json): Messages.DiffResponse {
  const kinds = messages.PropertyDiff.Kind;
  const detailed = diffProperties(olds, news);
  const ofInputs = diffProperties(oldInputs, news);
  const response = new messages.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  response.setChanges(Object.keys(detailed).length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setHasdetaileddiff(true);
  const top = new Set<string>();
  for (const [path, kind] of Object.entries(detailed)) {
    const entry = new messages.PropertyDiff();
    entry.setKind({ add: kinds.ADD, delete: kinds.DELETE, update: kinds.UPDATE }[kind]);
    entry.setInputdiff(path in ofInputs);
    response.getDetaileddiffMap().set(path, entry);
    top.add(/^[\w$]+/.exec(path)?.[0] ?? path);
  }
  response.setDiffsList([...top]);
  return response;
}

/**
 * Serves the plugin, and prints the port for the engine.
 *
 * @param argv what the engine has started it with
 */
export async function serve(served: ServedResources, argv: readonly string[]): Promise<void> {
  const limit = 64 * 1024 * 1024;
  const server = new grpc.Server({
    "grpc.max_receive_message_length": limit,
    "grpc.max_send_message_length": limit,
  });
  server.addService(services.ResourceProviderService, implementation(served, new EngineLog(argv)));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  process.stdout.write(`${port}\n`);
}
