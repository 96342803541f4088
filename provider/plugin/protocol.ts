/** Pulumi's provider protocol: gRPC and its messages. */
import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as Engine from "@pulumi/pulumi/proto/engine_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import type * as Plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import type * as Statuses from "@pulumi/pulumi/proto/status_pb.js";
import type * as AnyProto from "google-protobuf/google/protobuf/any_pb.js";
import type * as EmptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import type * as StructProto from "google-protobuf/google/protobuf/struct_pb.js";

// Loaded as the SDK loads them: its messages must be made of its own copy of google-protobuf.
const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
export const grpc = sdk("@grpc/grpc-js") as typeof Grpc;
export const services = sdk("./proto/provider_grpc_pb.js") as {
  ResourceProviderService: Grpc.ServiceDefinition;
};
/** Where a plugin's log goes. */
export const engine = {
  ...(sdk("./proto/engine_pb.js") as typeof Engine),
  ...(sdk("./proto/engine_grpc_pb.js") as {
    EngineClient: new (
      address: string,
      credentials: Grpc.ChannelCredentials,
    ) => { log(request: Engine.LogRequest, done: (error: Error | null) => void): void };
  }),
};
export const messages = sdk("./proto/provider_pb.js") as typeof Messages;
export const plugin = sdk("./proto/plugin_pb.js") as typeof Plugin;
export const statuses = sdk("./proto/status_pb.js") as typeof Statuses;
export const { Any } = sdk("google-protobuf/google/protobuf/any_pb.js") as typeof AnyProto;
export const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb.js") as typeof EmptyProto;
export const { Struct } = sdk("google-protobuf/google/protobuf/struct_pb.js") as typeof StructProto;
