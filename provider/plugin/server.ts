/**
 * The plugin's gRPC server. It speaks Pulumi's provider protocol itself instead of through
 * pulumi.provider.main, for three things that has not: a diff per setting, previews that need no
 * call, and errors without a stack. Protocol:
 * https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
 */
import type * as Grpc from "@grpc/grpc-js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import type * as StructProto from "google-protobuf/google/protobuf/struct_pb.js";
import { refusedBlobs, refusedJump, refusedMove, refusedName } from "../../lib/stalwart/release.ts";
import { type DetailedDiff, diffProperties, UNKNOWN } from "./diff.ts";
import { InitFailure, messageOf } from "./failure.ts";
import { EngineLog, type Log } from "./log.ts";
import { Empty, grpc, messages, plugin, services, Struct } from "./protocol.ts";
import { PartialError } from "./partial-error.ts";
import type { Json, ServedResource, ServedResources } from "./served-resource.ts";
import { method, unimplemented } from "./method.ts";

const VERSION = "0.1.0";

/**
 * Inputs that say how to deploy, and nothing of what the server is to be: no difference by
 * themselves.
 */
const MANNERS = ["deploying", "takeOver"];
const manners = (properties: Json): Json =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => MANNERS.includes(name)));

const plain = (struct: StructProto.Struct | undefined): Json =>
  struct ? (struct.toJavaScript() as Json) : {};
/** What a resource's properties are that have crossed the engine. */
const taken = ({ wire }: ServedResource, struct: StructProto.Struct | undefined): Json =>
  wire ? wire.from(plain(struct)) : plain(struct);
const onWire = ({ wire }: ServedResource, properties: Json): Json => wire?.to(properties) ?? properties;
const given = (resource: ServedResource, properties: Json): StructProto.Struct =>
  Struct.fromJavaScript(onWire(resource, properties) as Parameters<typeof Struct.fromJavaScript>[0]);

/**
 * Brings the server there, and tells a failure that has left something behind from one that has
 * not.
 */
async function apply(resource: ServedResource, news: Json, olds: Json | undefined, log: Log): Promise<Json> {
  try {
    return await resource.apply(news, olds, log);
  } catch (error) {
    if (!(error instanceof PartialError)) throw error;
    const left = { ...resource.interrupted(news, olds), ...error.left };
    throw new InitFailure(resource.idOf(left), onWire(resource, left), error);
  }
}

/** What a deploy will leave: the inputs, and the outputs as far as they can be known before. */
function foretold({ outputs = {} }: ServedResource, news: Json, olds: Json): Json {
  const stays = (name: string, inputs: readonly string[]) =>
    name in olds &&
    inputs.every((input) => Object.keys(diffProperties(olds[input], news[input])).length === 0);
  const known = Object.entries(outputs).map(([name, inputs]) => [
    name,
    stays(name, inputs) ? olds[name] : UNKNOWN,
  ]);
  return { ...news, ...(Object.fromEntries(known) as Json) };
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
      const inputs = resource.withDefaults(taken(resource, request.getNews()));
      const response = new messages.CheckResponse().setInputs(given(resource, inputs));
      response.setFailuresList(
        resource
          .check(inputs, taken(resource, request.getOlds()))
          .map(({ property, reason }) =>
            new messages.CheckFailure().setProperty(property).setReason(`${property} ${reason}`),
          ),
      );
      return response;
    }),
    diff: method(async (request: Messages.DiffRequest) => {
      const resource = resourceOf(request.getUrn());
      const olds = taken(resource, request.getOlds());
      const oldInputs = taken(resource, request.getOldInputs());
      const news = foretold(resource, taken(resource, request.getNews()), olds);
      const { trace } = resource;
      const lost =
        trace !== undefined &&
        news["deploying"] === true &&
        !(await logged(request.getUrn(), (log) => isApplied(trace, olds, log)));
      const [before, inputsBefore, after] = [olds, oldInputs, news].map((each) => onWire(resource, each));
      return diff(before ?? {}, inputsBefore ?? {}, after ?? {}, lost ? { [trace.marker]: "add" } : {});
    }),
    create: method(async (request: Messages.CreateRequest) => {
      const urn = request.getUrn();
      const resource = resourceOf(urn);
      const inputs = taken(resource, request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview())
        return response.setProperties(given(resource, foretold(resource, inputs, {})));
      const state = await logged(urn, (log) => apply(resource, inputs, undefined, log));
      return response.setId(resource.idOf(state)).setProperties(given(resource, state));
    }),
    update: method(async (request: Messages.UpdateRequest) => {
      const urn = request.getUrn();
      const resource = resourceOf(urn);
      const [news, olds] = [taken(resource, request.getNews()), taken(resource, request.getOlds())];
      const response = new messages.UpdateResponse();
      if (request.getPreview())
        return response.setProperties(given(resource, foretold(resource, news, olds)));
      const state = await logged(urn, (log) => apply(resource, news, olds, log));
      return response.setProperties(given(resource, state));
    }),
    read: method(async (request: Messages.ReadRequest) => {
      const resource = resourceOf(request.getUrn());
      const olds = plain(request.getProperties());
      if (Object.keys(olds).length === 0)
        throw new Error("what tailwart makes cannot be imported: deploy it, and what is live is overwritten");
      const state = await resource.read(taken(resource, request.getProperties()));
      if (!state) return new messages.ReadResponse();
      const seen = { ...state, ...manners(olds) };
      // Inputs too: the engine shows a difference between inputs.
      const inputs = Object.entries(seen).filter(([name]) => !(name in (resource.outputs ?? {})));
      return new messages.ReadResponse()
        .setId(request.getId())
        .setProperties(given(resource, seen))
        .setInputs(given(resource, Object.fromEntries(inputs)));
    }),
    delete: method(async (request: Messages.DeleteRequest) => {
      const urn = request.getUrn();
      const resource = resourceOf(urn);
      await logged(urn, (log) => resource.delete(taken(resource, request.getProperties()), log));
      return new Empty();
    }),
    checkConfig: method((request: Messages.CheckRequest) => {
      const response = new messages.CheckResponse().setInputs(request.getNews());
      const [olds, news] = [plain(request.getOlds()), plain(request.getNews())];
      const refused = {
        line: refusedJump(olds, news),
        blobStore: refusedBlobs(olds, news),
        dockerHost: refusedMove(olds, news),
        stack: refusedName(olds, news),
      };
      for (const [property, reason] of Object.entries(refused))
        if (reason) response.addFailures(new messages.CheckFailure().setProperty(property).setReason(reason));
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

/** A server that cannot be asked is the checks' matter at the end of an `up`, and no difference. */
async function isApplied(
  trace: NonNullable<ServedResource["trace"]>,
  state: Json,
  log: Log,
): Promise<boolean> {
  try {
    const applied = await trace.isApplied(state);
    if (!applied) log("the data store does not hold the last deploy: everything is written anew", "warning");
    return applied;
  } catch (error) {
    log(`whether the data store holds the last deploy is not known: ${messageOf(error)}`);
    return true;
  }
}

/**
 * @param oldInputs those of the last deploy that went through: a refresh, or a deploy that was cut
 *   off, has left another state
 * @param lost what the server does not have any more
 */
function diff(olds: Json, oldInputs: Json, news: Json, lost: DetailedDiff): Messages.DiffResponse {
  const kinds = messages.PropertyDiff.Kind;
  const declared = (properties: Json): Json =>
    Object.fromEntries(Object.entries(properties).filter(([name]) => !MANNERS.includes(name)));
  const detailed = { ...diffProperties(declared(olds), declared(news)), ...lost };
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
  const limits = { "grpc.max_receive_message_length": limit, "grpc.max_send_message_length": limit };
  const server = new grpc.Server(limits);
  server.addService(services.ResourceProviderService, implementation(served, new EngineLog(argv)));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  process.stdout.write(`${port}\n`);
}
