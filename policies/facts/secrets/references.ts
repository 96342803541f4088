import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, UNKNOWN_AT_PREVIEW } from "../../framework/values.ts";
import { CONTAINER, environmentOf, knownRoleOf } from "../docker/containers.ts";
import { uploadsOf } from "../docker/uploads.ts";

/** Where Stalwart reads a secret outside of its settings: a file in its container, a variable. */
export interface Reference {
  readonly kind: "file" | "env";
  /** The file's path or the variable's name; empty where the reference names none. */
  readonly name: string;
}

/** The macro that a whole setting consists of, such as `%{file:/etc/stalwart/secrets/dns}%`. */
export function referenceIn(text: string): Reference | undefined {
  const [, kind, name = ""] = /^%\{(file|env):([^}]*)\}%$/.exec(text.trim()) ?? [];
  return kind === "file" || kind === "env" ? { kind, name: name.trim() } : undefined;
}

/** What a reference leads to, and the container that says so. */
export type Content = { readonly where: string; readonly urn?: string } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unread"; readonly because: string }
);

const LOCAL_FILE = "comes from a local file, which is only read at deploy";

function fileContent(path: string, containers: readonly PolicyResource[]): Content {
  let perhaps: Content | undefined;
  for (const container of containers) {
    const { urn } = container;
    const { known, uploads } = uploadsOf(container);
    if (!known) perhaps = { where: `uploads (${path})`, urn, kind: "unread", because: UNKNOWN_AT_PREVIEW };
    const upload = uploads.find(({ file }) => file === path);
    if (!upload) continue;
    const where = `${formatPath(upload.path)}.content (${path})`;
    const because = upload.unread === "local" ? LOCAL_FILE : UNKNOWN_AT_PREVIEW;
    return upload.text === undefined
      ? { where, urn, kind: "unread", because }
      : { where, urn, kind: "text", text: upload.text };
  }
  const because = "no container of the stack uploads it, so whether it holds anything is not seen";
  return perhaps ?? { where: path, kind: "unread", because };
}

function variableContent(name: string, containers: readonly PolicyResource[]): Content {
  const stalwart = containers.find((container) => knownRoleOf(container) === "stalwart");
  if (!stalwart) {
    const because = "no container has the label tailwart.role=stalwart, so whether it is set is not seen";
    return { where: `envs (${name})`, kind: "unread", because };
  }
  const { urn } = stalwart;
  const { values, incomplete } = environmentOf(stalwart);
  const text = values.get(name);
  if (text !== undefined) return { where: `envs (${name})`, urn, kind: "text", text };
  return incomplete
    ? { where: `envs (${name})`, urn, kind: "unread", because: UNKNOWN_AT_PREVIEW }
    : { where: "envs", urn, kind: "missing" };
}

/** What the stack's containers put where a reference points to. */
export function contentOf({ kind, name }: Reference, resources: readonly PolicyResource[]): Content {
  const containers = resources.filter((resource) => resource.type === CONTAINER);
  return kind === "file" ? fileContent(name, containers) : variableContent(name, containers);
}
