import type * as Grpc from "@grpc/grpc-js";
import { InitFailure, messageOf } from "./failure.ts";
import { grpc } from "./protocol.ts";

type Handler<Q, R> = (request: Q) => Promise<R> | R;

/** Turns a handler into a gRPC method; a user's mistake reaches the user without a stack. */
export function method<Q, R>(handler: Handler<Q, R>): Grpc.UntypedHandleCall {
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

export function unimplemented(name: string): Grpc.UntypedHandleCall {
  const handle: Grpc.handleUnaryCall<unknown, unknown> = (_call, callback) =>
    callback({ code: grpc.status.UNIMPLEMENTED, details: `${name} is not implemented` });
  return handle as Grpc.UntypedHandleCall;
}
