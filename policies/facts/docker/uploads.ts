import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readString, type Path } from "../../framework/values.ts";

/** A file that a container brings along. */
export interface Upload {
  readonly path: Path;
  /** Its content, for a reader: `uploads[0].content (/etc/app.conf)`. */
  readonly where: string;
  /** Undefined where it is unknown at preview. */
  readonly file: string | undefined;
  /** Undefined where it cannot be read, see `unread`. */
  readonly text: string | undefined;
  /** Unknown at preview, or on the disk of the machine that deploys, to be read only then. */
  readonly unread: "unknown" | "local" | undefined;
}

/** Why the content of a file on the disk of the machine that deploys is not judged. */
export const comesFromLocalFile = (file: string): string =>
  `${file} comes from a local file, which is only read at deploy`;

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
      const where = `${formatPath([...path, "content"])} (${file.value ?? ""})`;
      return { path, where, file: file.value, text: unread ? undefined : text, unread };
    }),
  };
}
