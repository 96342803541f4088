/** How failures reach the engine. */
import type * as Grpc from "@grpc/grpc-js";
import type * as StructProto from "google-protobuf/google/protobuf/struct_pb.js";

import { describeError } from "../../lib/errors.ts";
import { Any, grpc, messages, statuses, Struct } from "./protocol.ts";

const struct = (value: unknown): StructProto.Struct =>
  Struct.fromJavaScript(value as Parameters<typeof Struct.fromJavaScript>[0]);

/** An error in words; a user's mistake, and an error of this plugin, without a stack. */
export const messageOf = (error: unknown) =>
  describeError(error instanceof Error && error.name === "Error" ? error.message : error);

/**
 * A deploy that failed half-way: the engine keeps its state with the reason, and updates again at
 * the next `up` whether or not anything differs.
 */
export class InitFailure extends Error {
  readonly #id: string;
  readonly #state: Record<string, unknown>;

  constructor(id: string, state: Record<string, unknown>, cause: unknown) {
    super(messageOf(cause), { cause });
    this.#id = id;
    this.#state = state;
  }

  status(): Partial<Grpc.StatusObject> {
    const failure = new messages.ErrorResourceInitFailed().setId(this.#id).setReasonsList([this.message]);
    failure.setProperties(struct(this.#state));
    failure.setInputs(struct(this.#state));
    const detail = new Any();
    detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statuses.Status()
      .setCode(grpc.status.UNKNOWN)
      .setMessage(this.message)
      .setDetailsList([detail]);
    const metadata = new grpc.Metadata();
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
    return { code: grpc.status.UNKNOWN, details: this.message, metadata };
  }
}
