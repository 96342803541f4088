import type { PolicyResource } from "../../framework/policy.ts";
import { read, readAt, UNKNOWN_AT_PREVIEW } from "../../framework/values.ts";
import { CONTAINER, environmentOf, labelOf } from "../docker/containers.ts";

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

function fileContent(path: string, containers: readonly PolicyResource[]): Content {
  let perhaps: Content | undefined;
  for (const { props, urn } of containers) {
    const uploads = read(props, "uploads");
    if (!uploads.known)
      perhaps = { where: `uploads (${path})`, urn, kind: "unread", because: UNKNOWN_AT_PREVIEW };
    const length = uploads.known && Array.isArray(uploads.value) ? uploads.value.length : 0;
    for (let i = 0; i < length; i++) {
      const file = readAt(props, ["uploads", i, "file"]);
      if (!file.known || file.value !== path) continue;
      const content = readAt(props, ["uploads", i, "content"]);
      const base64 = readAt(props, ["uploads", i, "contentBase64"]);
      const where = `uploads[${i}].content (${path})`;
      if (!content.known || !base64.known) return { where, urn, kind: "unread", because: UNKNOWN_AT_PREVIEW };
      if (typeof content.value === "string" && content.value !== "")
        return { where, urn, kind: "text", text: content.value };
      if (typeof base64.value === "string")
        return { where, urn, kind: "text", text: Buffer.from(base64.value, "base64").toString("utf8") };
      const source = readAt(props, ["uploads", i, "source"]);
      if (!source.known || source.value)
        return {
          where,
          urn,
          kind: "unread",
          because: "comes from a local file, which is only read at deploy",
        };
      return { where, urn, kind: "text", text: "" };
    }
  }
  const because = "no container of the stack uploads it, so whether it holds anything is not seen";
  return perhaps ?? { where: path, kind: "unread", because };
}

function variableContent(name: string, containers: readonly PolicyResource[]): Content {
  const stalwart = containers.find((container) => labelOf(container, "tailwart.role") === "stalwart");
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
