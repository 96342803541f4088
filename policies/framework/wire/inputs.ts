import { sdkMember } from "./analyzer-service.ts";

/** A resource's inputs as they come over the wire: secrets are still marked. */
interface Message {
  toJavaScript: () => object;
}
type Inputs = Record<string, unknown>;

const deserializeProperties = sdkMember<(message: Message, marksSecrets: boolean) => Inputs>(
  "./deserialize.js",
  "deserializeProperties",
);
const unknownCheckingProxy = sdkMember<(inputs: Inputs) => Inputs>("./proxy.js", "unknownCheckingProxy");

const signature = (name: string) => sdkMember<string>("@pulumi/pulumi/runtime/rpc", name);
export const specialArchiveSig = signature("specialArchiveSig");
export const specialAssetSig = signature("specialAssetSig");
export const specialSecretSig = signature("specialSecretSig");
export const specialSigKey = signature("specialSigKey");

/** Inputs as policies see them → as they came; the same object where nothing is special. */
const raw = new WeakMap<object, object>();

/** What came over the wire for the inputs that a policy sees; see secret-paths.ts. */
export const asItCame = (props: object): object | undefined => raw.get(props);

/**
 * A resource's inputs as policies see them: as the SDK makes them, secrets in plain text, and
 * reading an unknown value throws. Made once for each resource and question, so all policies see
 * one object: none may change it, and results can be cached by it.
 */
export function inputsOf(message: Message | undefined): Inputs {
  const came = message?.toJavaScript() ?? {};
  const inputs = isPlain(came)
    ? (came as Inputs)
    : unknownCheckingProxy(deserializeProperties({ toJavaScript: () => textsShown(came) as object }, false));
  raw.set(inputs, came);
  return inputs;
}

/**
 * Assets of text, alone or in an archive, as plain objects: the SDK's keep the text in a promise,
 * while a policy answers at once.
 */
function textsShown(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(textsShown);
  const { [specialSigKey]: kind, ...rest } = value as Record<string, unknown>;
  if (kind === specialAssetSig && typeof rest["text"] === "string")
    return { __pulumiAsset: true, text: rest["text"] };
  if (kind === specialArchiveSig && rest["assets"] !== undefined)
    return { __pulumiArchive: true, assets: textsShown(rest["assets"]) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, textsShown(inner)]));
}

/** The form of the SDK's marks for unknown values; a program may have such a text of its own. */
export const UNKNOWN_MARK = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether it has no secret, asset or unknown value, so that no proxy of the SDK is needed. */
function isPlain(value: unknown): boolean {
  if (typeof value === "string") return !UNKNOWN_MARK.test(value);
  return (
    typeof value !== "object" ||
    value === null ||
    (!(specialSigKey in value) && Object.values(value).every(isPlain))
  );
}
