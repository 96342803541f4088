import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

import { UserError } from "../../lib/errors.ts";
import { type Line, lineOfImage, LINES } from "../../lib/stalwart/release.ts";
import { run } from "../run.ts";
import { caLayer, IMAGE_NAMES, type ImageName, type Workshop } from "./images.ts";
import { SCRAP, type Manifest } from "./store.ts";

/** An image that takes the built one's place: `--image stalwart=stalwart-0.16.tar`. */
export interface GivenImage {
  name: ImageName;
  /** A `docker save` archive's path, or a name with a digest. */
  source: string;
  /** Line of Stalwart that is in it; for `stalwart` alone. */
  line?: Line;
}

const HOW =
  "write NAME=FILE with a file that `docker save` wrote, or NAME=REPOSITORY@sha256:…; NAME is one of " +
  IMAGE_NAMES.join(", ");
const wrongImage = (message: string, hint = HOW) => new UserError(message, { path: "--image", hint });
const wrongLine = (message: string, hint: string) => new UserError(message, { path: "--line", hint });
const PINNED = /^[\w.:/-]+@sha256:[0-9a-f]{64}$/;

/**
 * Reads `--image` and `--line`. The line of a given Stalwart is what its tag says, else what
 * `--line` says.
 *
 * @param words such as `["stalwart=stalwart-0.16.tar"]`
 * @throws UserError for a name that is none, for what is neither a file nor a pinned name, and for
 *   a line that is missing or another one
 */
export async function givenImages(words: readonly string[], line: string | undefined): Promise<GivenImage[]> {
  const given: GivenImage[] = [];
  for (const word of words) {
    const [, name = "", source = ""] = /^([^=]*)=(.*)$/.exec(word) ?? [];
    const known = IMAGE_NAMES.find((each) => each === name);
    if (!known) throw wrongImage(`"${word}" names no image of the lab`);
    if (given.some((each) => each.name === known))
      throw wrongImage(`${known} is given twice`, "give each image once");
    given.push({ name: known, source: sourceOf(source) });
  }
  const stalwart = given.find(({ name }) => name === "stalwart");
  if (stalwart) stalwart.line = lineFor(stalwart.source, await tagOf(stalwart.source), line);
  else if (line !== undefined)
    throw wrongLine(
      "--line says what a given Stalwart is, and none is given",
      "write --image stalwart=… beside it, or leave it out",
    );
  return given;
}

function sourceOf(source: string): string {
  if (PINNED.test(source)) return source;
  const file = resolve(source);
  if (source !== "" && statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw wrongImage(`"${source}" is neither a file nor a name with a digest`);
}

/** What an archive calls its image, such as "stalwartlabs/stalwart:v0.16.18"; a name is its own. */
async function tagOf(source: string): Promise<string | undefined> {
  if (PINNED.test(source)) return source;
  return (await contentOf(source)).tag;
}

function lineFor(source: string, tag: string | undefined, said: string | undefined): Line {
  const tagged = tag === undefined ? undefined : lineOfImage(tag);
  const line = said === undefined ? tagged : LINES.find((known) => known === said);
  const accepted = LINES.join(", ");
  if (said !== undefined && line === undefined)
    throw wrongLine(`"${said}" is no line of Stalwart`, `write one of ${accepted}`);
  if (line === undefined)
    throw wrongLine(
      `${source} has no tag that names Stalwart's version`,
      `write --line with one of ${accepted} beside it`,
    );
  if (tagged !== undefined && tagged !== line)
    throw wrongLine(
      `${source} is tagged ${tag}, which is of the line ${tagged} and not ${line}`,
      `write --line ${tagged}, or leave it out`,
    );
  return line;
}

/**
 * How skopeo reads an archive, and its image's tag. Docker before 25 writes one layout, later ones
 * both into one file.
 */
async function contentOf(file: string): Promise<{ transport: string; tag: string | undefined }> {
  const listed = await run("tar", ["--list", `--file=${file}`], { allowFailure: true, timeout: 300_000 });
  const names = new Set(listed.stdout.split("\n").map((name) => name.replace(/^\.\//, "")));
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(
      (await run("tar", ["--extract", "--to-stdout", `--file=${file}`, name], { timeout: 300_000 })).stdout,
    );
  const one = <T>(list: T[]): T => {
    const [first, ...more] = list;
    if (first !== undefined && more.length === 0) return first;
    throw wrongImage(
      `${file} holds ${list.length} images`,
      "save one image into it: docker save -o FILE IMAGE",
    );
  };
  if (names.has("manifest.json")) {
    const { RepoTags } = one((await read("manifest.json")) as { RepoTags?: string[] | null }[]);
    return { transport: `docker-archive:${file}`, tag: RepoTags?.[0] };
  }
  if (names.has("index.json")) {
    const { manifests } = (await read("index.json")) as {
      manifests: { annotations?: Record<string, string> }[];
    };
    const { annotations = {} } = one(manifests);
    const ref = annotations["org.opencontainers.image.ref.name"];
    // containerd has the whole name, the specification's own key the tag alone.
    const tag = annotations["io.containerd.image.name"] ?? (ref && `:${ref}`);
    return { transport: `oci-archive:${file}`, tag };
  }
  throw wrongImage(`${file} is no archive of an image`);
}

/**
 * Takes a given image into the store. Stalwart gets a layer with the lab's CA, since it has nobody
 * else to order certificates from; all others, and all other files, stay as they are.
 */
export async function takeImage(workshop: Workshop, { name, source }: GivenImage): Promise<Manifest> {
  const { store, cacheDir, log } = workshop;
  log(`taking ${name} from ${source}`);
  const folder = mkdtempSync(join(cacheDir, `${SCRAP}given-`));
  try {
    const pinned = PINNED.test(source);
    const from = pinned ? `docker://${untagged(source)}` : (await contentOf(source)).transport;
    const plain = pinned && /^(localhost|127\.)/.test(source) ? ["--src-tls-verify=false"] : [];
    const how = ["--insecure-policy", "copy", "--quiet", "--format=v2s2", "--dest-compress", ...plain];
    const env = { ...process.env, LC_ALL: "C" };
    const taken = await run("skopeo", [...how, from, `dir:${folder}`], {
      env,
      timeout: 900_000,
      allowFailure: true,
    });
    if (taken.code !== 0) {
      throw wrongImage(
        `${source} cannot be read: ${wordsOfSkopeo(taken.stderr)}`,
        pinned
          ? "see that the name and the digest are right, and that this machine reaches the registry"
          : HOW,
      );
    }
    const extra = name === "stalwart" ? [await caLayer(workshop)] : [];
    return store.adopt(folder, extra);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** skopeo takes a tag or a digest, and the digest alone says what is meant. */
const untagged = (source: string) => source.replace(/:[\w.-]+@/, "@");

/** The last message of its log, as `time="…" level=fatal msg="…"`. */
const wordsOfSkopeo = (log: string) =>
  / msg="(.*)"\n?$/.exec(log.trim())?.[1]?.replaceAll('\\"', '"') ?? log.trim();
