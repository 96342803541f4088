import type { Path } from "../values.ts";
import { asItCame, specialSecretSig, specialSigKey } from "./inputs.ts";

/**
 * Paths of the values that are secrets, in inputs as a policy is given them; undefined where nobody has told. The SDK gives a validation all secrets as
 * plain text, with no mark (deserialize.js); the engine marks them (pulumi, analyzer_plugin.go: KeepSecrets), so what came tells.
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
