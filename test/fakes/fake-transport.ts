import { runCommand } from "../../lib/run-command.ts";
import type { Transport } from "../../provider/transport.ts";
import type { FakeRegistry } from "./fake-registry.ts";

/** The way to the fake of the registry: the real curl over loopback, and a restart that brings what is stored into force. */
export function fakeTransport(fake: () => FakeRegistry): Transport {
  return {
    name: "container test",
    curl: (args, stdin, deadline) =>
      runCommand("curl", ["--user", "admin:admin-password", ...args], { stdin, deadline }),
    restart: () => {
      fake().restart();
      return Promise.resolve({ status: 0, stdout: "", stderr: "" });
    },
    inspect: () => Promise.resolve({ exists: true, running: true, log: "" }),
  };
}
