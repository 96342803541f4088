import { expect, test } from "vitest";

import type { Check } from "../../../../verify/check.ts";
import { postgres, relay, stores } from "../../../../verify/checks/peers.ts";
import { Scene } from "../../../../verify/scene.ts";

/** A namespace in which each probe prints this word. */
class Namespace extends Scene {
  readonly #word: string;
  readonly probes: string[] = [];

  constructor(word: string) {
    super({
      kvm: { dockerHost: "ssh://kvm", sidecar: "sidecar", stalwart: "stalwart" },
      node: "stalwart (tag:stalwart)",
      postgres: { host: "db.tail.test", port: 5432 },
      relay: { host: "smarthost.tail.test", port: 587 },
      redis: { host: "redis.tail.test", port: 6379 },
    });
    this.#word = word;
  }

  override inNamespace(line: string) {
    this.probes.push(line);
    return Promise.resolve({ status: 0, stdout: `${this.#word}\n`, stderr: "" });
  }
}

const PEERS: [string, Check, string][] = [
  ["Postgres (lesson 1)", postgres, "db.tail.test 5432"],
  ["the relay (lessons 8 and 11)", relay, "smarthost.tail.test 587"],
  ["a further store (lesson 11)", stores, "redis.tail.test 6379"],
];

test.each(PEERS)(
  "%s is dialled from Stalwart's namespace, and fails as it fails there",
  async (_, check, at) => {
    expect(check.from).toBe("namespace");
    const open = new Namespace("open");
    expect((await check.look(open)).state).toBe("ok");
    expect(open.probes.join("\n")).toContain(`nc -v -v -z -w 3 ${at}`);
    for (const [word, told] of [
      ["no-such-name", "no grant at all"],
      ["timeout", "times out"],
      ["refused", "nothing listens"],
      ["no-route", "no route"],
      ["?", "fails"],
    ] as const) {
      const { state, seen } = await check.look(new Namespace(word));
      expect(state).toBe("fail");
      expect(seen).toContain(told);
      expect(seen).toContain(at.replace(" ", ":"));
    }
  },
);
