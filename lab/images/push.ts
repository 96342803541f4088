// Pushes an image into a registry, if it is not there: `node push.ts`, a PushRequest on stdin.
// A program of its own, because it runs in the lab's network namespace.
import { openAsBlob } from "node:fs";
import { text } from "node:stream/consumers";

import type { Manifest } from "./store.ts";

export interface PushRequest {
  /** Such as http://203.0.113.1:5000 */
  registry: string;
  images: { repository: string; manifest: Manifest; files: Record<string, string> }[];
}

const { registry, images } = JSON.parse(await text(process.stdin)) as PushRequest;
for (const image of images) {
  const base = `${registry}/v2/${image.repository}`;
  const { manifest, files } = image;
  if (await exists(`${base}/manifests/${manifest.digest}`, manifest.mediaType)) continue;
  for (const { digest } of manifest.blobs)
    if (!(await exists(`${base}/blobs/${digest}`))) await pushBlob(base, digest, files[digest] ?? "");
  await request("PUT", `${base}/manifests/${manifest.digest}`, manifest.body, manifest.mediaType);
  console.log(`${image.repository}@${manifest.digest}`);
}

async function exists(url: string, accept = "*/*"): Promise<boolean> {
  const answer = await fetch(url, { method: "HEAD", headers: { accept } });
  if (!answer.ok && answer.status !== 404) throw new Error(`HEAD ${url}: ${answer.status}`);
  return answer.ok;
}

/** One POST that names an upload, one PUT with all bytes (distribution spec, "POST then PUT"). */
async function pushBlob(base: string, digest: string, file: string): Promise<void> {
  const upload = await request("POST", `${base}/blobs/uploads/`);
  const target = new URL(upload.headers.get("location") ?? "", base);
  target.searchParams.set("digest", digest);
  await request("PUT", target.href, await openAsBlob(file), "application/octet-stream");
}

async function request(method: string, url: string, body?: string | Blob, type?: string): Promise<Response> {
  const answer = await fetch(url, {
    method,
    body: body ?? null,
    headers: type ? { "content-type": type } : {},
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}
