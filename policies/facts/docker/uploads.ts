import type { PolicyResource } from "../../framework/policy.ts";
import { listAt, readString, type Path } from "../../framework/values.ts";

/** A file that a container brings along. */
export interface Upload {
  readonly path: Path;
  /** Undefined where it is unknown at preview. */
  readonly file: string | undefined;
  /** Undefined where it cannot be read, see `unread`. */
  readonly text: string | undefined;
  /** Unknown at preview, or on the disk of the machine that deploys, to be read only then. */
  readonly unread: "unknown" | "local" | undefined;
}

/** The uploads of a container; `known` is false where there may be others. */
export function uploadsOf({ props }: PolicyResource): { known: boolean; uploads: Upload[] } {
  const { known, entries } = listAt(props, ["uploads"]);
  return {
    known,
    uploads: entries.map(({ path }) => {
      const at = (key: string) => readString(props, [...path, key]);
      const [file, content, base64, source] = [at("file"), at("content"), at("contentBase64"), at("source")];
      // The provider fills in empty strings for what is not set.
      const text = content.value || Buffer.from(base64.value ?? "", "base64").toString("utf8");
      const isLocal = text === "" && (!source.known || Boolean(source.value));
      const unread = !content.known || !base64.known ? "unknown" : isLocal ? "local" : undefined;
      return { path, file: file.value, text: unread ? undefined : text, unread };
    }),
  };
}
