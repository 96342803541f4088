import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";

/** What stands in front of an API of this machine, and passes everything on until it is cut off. */
export class CuttableProxy {
  /** Cuts it off once the next write has been answered. */
  cutAfterWrite = false;
  cut = false;
  readonly #server;

  /** @param port where the API listens */
  constructor(port: number) {
    this.#server = createServer((request, response) => {
      if (this.cut) return void request.socket.destroy();
      const { method, url: path, headers } = request;
      const onward = ask({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
        if (this.cutAfterWrite && method === "POST") this.cut = true;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => request.socket.destroy());
      request.pipe(onward);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
