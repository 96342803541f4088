import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs work that only one process may do at a time; others wait. The lock is an abstract Unix
 * socket (unix(7)): the kernel gives it back when its owner ends, however that happens, so it is
 * never stale.
 *
 * @param path what is locked
 * @param onWait called once when another process has the lock
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  const name = `\0tailwart-${createHash("sha256").update(path).digest("hex").slice(0, 32)}`;
  let server = await tryListen(name);
  if (!server) onWait?.();
  while (!server) {
    await sleep(200);
    server = await tryListen(name);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

function tryListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => resolve(server.unref()));
  });
}
