import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isMap, parse, parseDocument } from "yaml";

import { hasUse, isSecure, placeholderOf } from "../../config/placeholder.ts";

/** A stack's config that nobody's key opens. */
export interface DummyConfig {
  /** The file without secrets, and without what would open them. */
  readonly text: string;
  /** `key=value` of each secret, the key as `pulumi config set-all --path` takes it. */
  readonly secrets: readonly string[];
}

type Config = Readonly<Record<string, unknown>>;

/** What leads to a key or to somebody's cloud: a preview from nothing has a key of its own. */
const OPENERS = ["encryptionsalt", "secretsprovider", "encryptedkey"] as const;

/**
 * Whether a config file belongs to a stack that has been made in some backend: then it holds
 * secrets.
 */
export function isDeployable(configText: string): boolean {
  const file = read(configText);
  return OPENERS.some((key) => file[key] !== undefined) || isSecure(configOf(file));
}

/**
 * A stack file with a dummy in the place of each secret, wherever it is nested.
 *
 * @param wanted secrets that the program requires; a file that holds none has them made up. One
 *   that holds secrets is what is deployed, and what is missing there is a mistake
 */
export function withDummies(configText: string, wanted: readonly string[]): DummyConfig {
  const { environment, ...file } = read(configText);
  const config = configOf(file);
  const inFile = Object.entries(config).flatMap(([key, value]) =>
    securePaths(value).map((path) => [key, ...path] as const),
  );
  // What an environment of Pulumi's holds is not in the file: nobody can say what is missing.
  const hasAll = inFile.length > 0 && environment === undefined;
  const missing = (hasAll ? [] : wanted)
    .filter((key) => !(`tailwart:${key}` in config))
    .filter((key) => hasUse(key, config))
    .map((key) => [`tailwart:${key}`] as const);
  const secrets = [...inFile, ...missing].map(
    ([key, ...path]) =>
      `${key}${path.map(step).join("")}=${placeholderOf(path.length === 0 ? key : "", config)}`,
  );
  return { text: withoutSecrets(configText, inFile), secrets };
}

/**
 * Names of the secrets that a version of tailwart takes; of another program's nobody knows.
 *
 * @param project the program's folder: an older version takes others than this one
 */
export async function secretsOf(project: string): Promise<string[]> {
  const schema = join(project, "config/schema/secrets.ts");
  if (!existsSync(schema)) return [];
  const { secretSchema } = (await import(pathToFileURL(schema).href)) as {
    secretSchema?: { shape?: object };
  };
  return Object.keys(secretSchema?.shape ?? {});
}

/** A key of a map is text, one of a list a number. */
type Step = string | number;

/** As Pulumi writes a path: `["ghcr.io"]`, `[0]`. */
const step = (key: Step): string => `[${JSON.stringify(key)}]`;

const isSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "secure" in value && Object.keys(value).length === 1;

/** Where secrets are in a value. */
function securePaths(value: unknown): Step[][] {
  if (isSecret(value)) return [[]];
  if (typeof value !== "object" || value === null) return [];
  const key = (name: string): Step => (Array.isArray(value) ? Number(name) : name);
  return Object.entries(value).flatMap(([name, each]) =>
    securePaths(each).map((rest) => [key(name), ...rest]),
  );
}

/**
 * The file's other values stay as they are written, `0400` and `yes` too: none is read as more than
 * text. Whole secrets are left out, and those within a value hold their place: Pulumi sets no
 * element of a list that is not there.
 */
function withoutSecrets(configText: string, secrets: readonly (readonly [string, ...Step[]])[]): string {
  const file = parseDocument(configText, { schema: "failsafe" });
  if (!isMap(file.contents)) return configText;
  for (const key of [...OPENERS, "environment"]) if (file.has(key)) file.delete(key);
  for (const path of secrets)
    if (path.length === 1) file.deleteIn(["config", ...path]);
    else file.setIn(["config", ...path], "dummy");
  return file.toString({ lineWidth: 0 });
}

const read = (text: string): Config => (parse(text) ?? {}) as Config;
const configOf = ({ config }: Config): Config => (config ?? {}) as Config;
