import { createRequire } from "node:module";

/** The SDK's own modules, which need not be the ones that a program has. */
export const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));

/** A gRPC method of the pack's server: calls back with an error or the response. */
export type Method<Request, Response> = (
  call: { readonly request: Request },
  callback: (error: object | null | undefined, response?: Response) => void,
) => unknown;

type Definitions = Readonly<Record<string, object>>;

/**
 * Puts something in front of the methods that the SDK is going to serve; to be called before the
 * pack is made. The SDK has no place for it: it makes the server itself, out of nothing but the
 * list of policies (server.js, serve).
 *
 * @param change gets the SDK's methods, of which `Methods` is a part; returns those that are served
 *   in their place
 * @param unread methods that answer without a look at the request, which then is not decoded
 */
export function changeService<Methods extends object>(
  change: (methods: Methods) => Methods,
  unread: readonly string[] = [],
): void {
  const { Server } = sdk("@grpc/grpc-js") as {
    Server: { prototype: { addService: (service: Definitions, methods: object) => void } };
  };
  const server = Server.prototype;
  const original = server.addService;
  server.addService = function (service, methods) {
    const definitions: Record<string, object> = { ...service };
    for (const name of unread) definitions[name] = { ...service[name], requestDeserialize: () => ({}) };
    original.call(this, definitions, { ...methods, ...change(methods as Methods) });
  };
}
