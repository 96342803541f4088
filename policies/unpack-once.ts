import { createRequire } from "node:module";

type Unpack = (message: object, proxySecrets: boolean) => object;

/**
 * Makes the SDK unpack a resource once for all policies. By itself it does so again for each policy, and for each of those over the whole
 * stack (server.js, makeAnalyzeRpcFun and makeAnalyzeStackRpcFun): that would be a third of the pack's time, and more of it over a stack. All policies then see
 * one object, so none may change it; what one works out of it can be kept by it.
 */
export function unpackOnce(): void {
  const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));
  const unpacking = sdk("./deserialize.js") as { deserializeProperties: Unpack };
  const guarding = sdk("./proxy.js") as { unknownCheckingProxy: (properties: object) => object };
  const unpack = unpacking.deserializeProperties;
  // A remediation gets secrets marked and may change what it is given: it keeps its own.
  const plain = once((message) => unpack(message, false));
  unpacking.deserializeProperties = (message, proxySecrets) =>
    proxySecrets ? unpack(message, proxySecrets) : plain(message);
  guarding.unknownCheckingProxy = once(guarding.unknownCheckingProxy);
}

/** Keeps what a function makes of an object for as long as the object is there. */
function once(make: (from: object) => object): (from: object) => object {
  const made = new WeakMap<object, object>();
  return (from) => {
    let result = made.get(from);
    if (!result) {
      result = make(from);
      made.set(from, result);
    }
    return result;
  };
}
