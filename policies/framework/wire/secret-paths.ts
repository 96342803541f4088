import type { Path } from "../values.ts";
import { asItCame, specialSecretSig, specialSigKey } from "./inputs.ts";

/**
 * Paths of the secret values among the inputs that a policy is given; undefined if the engine did
 * not send secret marks. The SDK gives a validation all secrets as plain text, without a mark
 * (deserialize.js), while the engine marks them on the wire (pulumi, analyzer_plugin.go:
 * KeepSecrets).
 */
export function secretPathsOf(props: object): readonly Path[] | undefined {
  const came = asItCame(props);
  return came && (came === props ? [] : markedPaths(came));
}

/** What lies below a secret is not visited. */
function markedPaths(came: object): Path[] {
  const paths: Path[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value !== "object" || value === null) return;
    if (Reflect.get(value, specialSigKey) === specialSecretSig) return void paths.push(path);
    for (const [key, inner] of Object.entries(value))
      visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  visit(came, []);
  return paths;
}
