/** A real Redis on loopback, which keeps nothing. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./stalwart-server.ts";
import { listens, selfSigned } from "./talk.ts";

export const REDIS_USER = "stalwart";
/** With all that a URL would take for something else. */
export const REDIS_PASSWORD = "of the/lab:@?#%41";

/**
 * One that takes {@link REDIS_USER} alone.
 *
 * @param tls with a certificate that nobody vouches for
 * @throws Error without redis-server
 */
export async function redisServer(tls = false) {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
  } catch {
    throw new Error("this test needs redis-server: apt-get install redis-server");
  }
  const folder = mkdtempSync(join(tmpdir(), "tailwart-redis-"));
  const port = await freePort();
  const { key, cert } = selfSigned(folder);
  const encrypted = `port 0\ntls-port ${port}\ntls-cert-file ${cert}\ntls-key-file ${key}\ntls-auth-clients no`;
  const config = [
    tls ? encrypted : `port ${port}`,
    'bind 127.0.0.1\nsave ""\nappendonly no',
    `dir ${folder}`,
    `user default off\nuser ${REDIS_USER} on "${`>${REDIS_PASSWORD}`}" ~* &* +@all`,
  ];
  writeFileSync(join(folder, "redis.conf"), `${config.join("\n")}\n`, { mode: 0o600 });
  let service = spawn("redis-server", [join(folder, "redis.conf")], { stdio: "ignore" });
  const ready = async () => {
    while (!(await listens(port, "127.0.0.1"))) {
      if (service.exitCode !== null) throw new Error(`redis-server ended with ${service.exitCode}`);
      await sleep(50);
    }
  };
  await ready();
  return {
    port,
    /** How many keys a database has. */
    keys: (database: number) => {
      const args = ["-p", String(port), "--user", REDIS_USER, "-n", String(database), "dbsize"];
      const env = { ...process.env, REDISCLI_AUTH: REDIS_PASSWORD };
      return Number(execFileSync("redis-cli", args, { env }).toString());
    },
    /** Ends it; it comes back with nothing in it. */
    pause: () => void service.kill("SIGKILL"),
    resume: async () => {
      service = spawn("redis-server", [join(folder, "redis.conf")], { stdio: "ignore" });
      await ready();
    },
    close: () => {
      service.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
