// Official downloads, checked against the publisher's checksums. Where nothing can be reached this
// must cost seconds, once: the first host that cannot be connected to ends downloads for the run.
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { run } from "./run.mjs";

/** How long a connection may take until it counts as not there, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** Why downloads are not tried any more in this run. @type {string | undefined} */
let noRoute;

/** For tests: as at the start of a run. */
export function forgetNoRoute() {
  noRoute = undefined;
}

/** Why nothing can be downloaded in this run, or undefined. @param {NodeJS.ProcessEnv} [env] */
export function whyNoDownloads(env = process.env) {
  if (env.TAILWART_DOWNLOADS === "off") return "TAILWART_DOWNLOADS=off";
  return noRoute;
}

/**
 * Downloads a piece into `folder`/bin.
 *
 * @param {import("./ensure.d.mts").Download} download
 * @param {string} folder
 * @param {{ log: string, doing?: (text: string) => void }} options
 * @throws Error whose message says why, in a few words; the caller then builds
 */
export async function fetchPiece(download, folder, options) {
  const blocked = whyNoDownloads();
  if (blocked) throw new Error(blocked);
  const archive = join(folder, basename(new URL(download.url).pathname));
  const wanted = await checksum(download, archive);
  await save(download.url, archive, options);
  const found = createHash("sha256").update(readFileSync(archive)).digest("hex");
  if (found !== wanted) throw new Error(`${download.url} has sha256 ${found}, its publisher says ${wanted}`);

  const bin = join(folder, "bin");
  mkdirSync(bin);
  const unpacked = join(folder, "unpacked");
  if (/\.(tar\.gz|tgz)$/.test(archive)) {
    mkdirSync(unpacked);
    await run("tar", ["-xzf", archive, "-C", unpacked], options);
  }
  for (const [program, inside] of Object.entries(download.take)) {
    copyFileSync(inside === "" ? archive : join(unpacked, inside), join(bin, program));
    chmodSync(join(bin, program), 0o755);
  }
  return [archive, unpacked];
}

/**
 * Whether a host answers at all; what it answers does not matter.
 *
 * @param {string} url
 * @throws Error when it does not
 */
export async function reach(url) {
  const blocked = whyNoDownloads();
  if (blocked) throw new Error(blocked);
  await request(url, { method: "HEAD" });
}

/** @param {import("./ensure.d.mts").Download} download @param {string} archive */
async function checksum(download, archive) {
  const list = await (await expectOk(download.sums ?? download.sum ?? "")).text();
  const line = download.sum
    ? list
    : list.split("\n").find((line) => line.trim().split(/\s+/)[1]?.replace(/^[*]/, "") === basename(archive));
  const sum = /^\s*([0-9a-f]{64})\b/.exec(line ?? "")?.[1];
  if (!sum) throw new Error(`${download.sums ?? download.sum} names no sha256 for ${basename(archive)}`);
  return sum;
}

/** @param {string} url @param {string} file @param {{ doing?: (text: string) => void }} options */
async function save(url, file, options) {
  const response = await expectOk(url);
  const total = Number(response.headers.get("content-length") ?? 0);
  let got = 0;
  const body = Readable.fromWeb(/** @type {any} */ (response.body));
  body.on("data", (chunk) => {
    got += chunk.length;
    options.doing?.(`downloading ${megabytes(got)}${total ? ` of ${megabytes(total)}` : ""}`);
  });
  await pipeline(body, createWriteStream(file));
}

/** @param {string} url */
async function expectOk(url) {
  const response = await request(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response;
}

/**
 * fetch with a limit on the time until the answer begins.
 * @param {string} url
 * @param {RequestInit} [init]
 */
async function request(url, init = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), CONNECT_TIMEOUT);
  try {
    // A body that stalls is given up after twenty minutes.
    return await fetch(url, {
      ...init,
      signal: AbortSignal.any([abort.signal, AbortSignal.timeout(1_200_000)]),
    });
  } catch (error) {
    const cause = /** @type {{ cause?: { code?: string } }} */ (error).cause?.code;
    const why = abort.signal.aborted ? `no answer in ${CONNECT_TIMEOUT / 1000} s` : (cause ?? String(error));
    noRoute = `no route to downloads (${new URL(url).host}: ${why})`;
    throw new Error(noRoute, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}
