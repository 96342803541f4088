import { createRequire } from "node:module";

/** The SDK's own modules, which need not be the ones that a program has. */
const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));

const missing: string[] = [];

/** What `sdkMember` has looked for in vain: with any of it the pack cannot answer by itself. */
export const missingMembers: readonly string[] = missing;

/**
 * A member of one of the SDK's modules. Most are no API, and the SDK is whichever one is installed
 * beside a program's: one that is not there is noted, and whoever asks gets `undefined` for it.
 *
 * @param path names with dots between them
 */
export function sdkMember<Member>(module: string, path: string): Member {
  let found: unknown;
  try {
    found = path.split(".").reduce((at, name) => (at as Record<string, unknown>)[name], sdk(module));
  } catch {
    // The module is not there, or what should hold the member.
  }
  if (found === undefined) missing.push(`${path} of ${module}`);
  return found as Member;
}

type AddService = (service: Definitions, methods: object) => void;
sdkMember<AddService>("@grpc/grpc-js", "Server.prototype.addService");
const server = sdkMember<{ addService: AddService }>("@grpc/grpc-js", "Server.prototype");

/** A gRPC method of the pack's server: calls back with an error or the response. */
export type Method<Request, Response> = (
  call: { readonly request: Request },
  callback: (error: object | null | undefined, response?: Response) => void,
) => unknown;

type Definitions = Readonly<Record<string, object>>;

/**
 * Puts something in front of the methods that the SDK is going to serve; to be called before the
 * pack is made. The SDK has no place for it: it makes the server itself, out of nothing but the
 * list of policies (server.js, serve). Only where no member is missing.
 *
 * @param change gets the SDK's methods, of which `Methods` is a part; returns those that are served
 *   in their place
 * @param unread methods that answer without a look at the request, which then is not decoded
 */
export function changeService<Methods extends object>(
  change: (methods: Methods) => Methods,
  unread: readonly string[] = [],
): void {
  const original = server.addService;
  server.addService = function (service, methods) {
    const definitions: Record<string, object> = { ...service };
    for (const name of unread) definitions[name] = { ...service[name], requestDeserialize: () => ({}) };
    original.call(this, definitions, { ...methods, ...change(methods as Methods) });
  };
}
