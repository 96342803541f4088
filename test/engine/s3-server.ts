/** A real S3 service on loopback, over a folder. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./stalwart-server.ts";
import { listens, selfSigned } from "./talk.ts";

export const S3_KEY = "AKIALAB";
export const S3_SECRET = "secret-of-the-lab";

/**
 * @param tls with a certificate that nobody vouches for
 * @throws Error without versitygw, which `node tools/cli.mjs ensure full` makes
 */
export async function s3Server(bucket: string, region: string, tls = false) {
  try {
    execFileSync("versitygw", ["--version"], { stdio: "ignore" });
  } catch {
    throw new Error(
      'this test needs versitygw: run `eval "$(node tools/cli.mjs env engine lab full)"` first',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "tailwart-s3-"));
  mkdirSync(join(folder, bucket));
  const port = await freePort();
  const secrets = mkdtempSync(join(tmpdir(), "tailwart-s3-tls-"));
  const { key, cert } = selfSigned(secrets);
  const how = [
    "--port",
    `127.0.0.1:${port}`,
    "--region",
    region,
    ...(tls ? ["--cert", cert, "--key", key] : []),
  ];
  const service = spawn("versitygw", [...how, "posix", folder], {
    env: { ...process.env, ROOT_ACCESS_KEY_ID: S3_KEY, ROOT_SECRET_ACCESS_KEY: S3_SECRET },
    stdio: "ignore",
  });
  while (!(await listens(port, "127.0.0.1"))) {
    if (service.exitCode !== null) throw new Error(`versitygw ended with ${service.exitCode}`);
    await sleep(50);
  }
  return {
    endpoint: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    /** Keys of the bucket's objects. */
    objects: () =>
      readdirSync(join(folder, bucket), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, bucket).length + 1)),
    close: () => {
      service.kill("SIGKILL");
      for (const made of [folder, secrets]) rmSync(made, { recursive: true, force: true });
    },
  };
}
