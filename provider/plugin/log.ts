/** What a deploy says while it works. Never a value, which may be a secret. */
import { engine, grpc } from "./protocol.ts";

/** `debug` shows with `pulumi --debug`; the others stand among the diagnostics of an `up`. */
export type Severity = "debug" | "info" | "warning";

export type Log = (message: string, severity?: Severity) => void;

/** The engine's log. */
export class EngineLog {
  readonly #client: InstanceType<typeof engine.EngineClient> | undefined;
  readonly #pending = new Set<Promise<void>>();

  /**
   * @param argv the plugin's arguments: flags, and the engine's address as the last one; without an
   *   address nothing is said
   */
  constructor(argv: readonly string[]) {
    const address = argv.at(-1);
    if (address !== undefined && /^[\w.[\]:-]+:\d+$/.test(address))
      this.#client = new engine.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** The log of one resource. */
  of(urn: string): Log {
    return (message, severity = "debug") => {
      const client = this.#client;
      if (!client) return;
      const { DEBUG, INFO, WARNING } = engine.LogSeverity;
      const request = new engine.LogRequest()
        .setUrn(urn)
        .setMessage(message)
        .setSeverity({ debug: DEBUG, info: INFO, warning: WARNING }[severity]);
      // A log that nobody takes must fail no deploy.
      const said = new Promise<void>((resolve) => client.log(request, () => resolve()));
      this.#pending.add(said);
      void said.then(() => this.#pending.delete(said));
    };
  }

  /** Waits until all has been said: the engine ends a plugin that has answered. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
