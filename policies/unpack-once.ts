import { sdk } from "./analyzer-service.ts";

/** A resource's inputs as they came over the wire: secrets are still marked. */
interface Message {
  readonly toJavaScript: () => object;
}
type Unpack = (message: Message, marksSecrets: boolean) => object;

/** Inputs as policies see them → as they came. */
const raw = new WeakMap<object, object>();

/** What came over the wire for the inputs that a policy sees; see secrets.ts. */
export const asItCame = (props: object): object | undefined => raw.get(props);

/**
 * Makes the SDK unpack a resource once for all policies. By itself it does so again for each policy, and for each of those over the whole
 * stack (server.js, makeAnalyzeRpcFun and makeAnalyzeStackRpcFun): that would be a third of the pack's time, and more of it over a stack. All policies then see
 * one object, so none may change it; what one works out of it can be kept by it.
 */
export function unpackOnce(): void {
  const unpacking = sdk("./deserialize.js") as { deserializeProperties: Unpack };
  const guarding = sdk("./proxy.js") as { unknownCheckingProxy: (properties: object) => object };
  const unpack = unpacking.deserializeProperties;
  const guard = guarding.unknownCheckingProxy;
  unpacking.deserializeProperties = once((message: Message) => {
    const came = message.toJavaScript();
    const props = unpack({ toJavaScript: () => came }, false);
    raw.set(props, came);
    return props;
  });
  guarding.unknownCheckingProxy = once((props) => {
    if (!mayHoldUnknown(props)) return props;
    const guarded = guard(props);
    raw.set(guarded, raw.get(props) ?? {});
    return guarded;
  });
}

/** What the SDK puts in the place of an unknown value has this form; a program may well have such a text of its own. */
export const UNKNOWN_MARK = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether reading anything in the inputs could throw. Few resources have such a thing, and each read through the guard makes a proxy. */
function mayHoldUnknown(value: unknown): boolean {
  if (typeof value === "string") return UNKNOWN_MARK.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(mayHoldUnknown);
}

/** Keeps what a function makes of an object for as long as the object is there. */
function once<From extends object>(make: (from: From) => object): (from: From) => object {
  const made = new WeakMap<From, object>();
  return (from) => {
    let result = made.get(from);
    if (!result) {
      result = make(from);
      made.set(from, result);
    }
    return result;
  };
}
