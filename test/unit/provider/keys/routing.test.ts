import { describe, expect, test } from "vitest";

import {
  registryRoutesOf,
  registrySubmissionOf,
  rowConcernsRouting,
} from "../../../../provider/registry/routing.ts";
import { toFileKeys, toSettingKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import {
  concernsRouting,
  routesOf,
  routingDiffers,
  submissionOf,
} from "../../../../provider/keys/routing.ts";
import { desired } from "../../lib/desired-state/desired.ts";

const settings = (more: Partial<StalwartSettingsInput> = {}) =>
  parseSettings({ ...desired, accounts: [], ...more });
const relays = [{ name: "smarthost", host: "mailbox.tail.test", port: 2525, tls: "tailnet" as const }];
const viaRelay = { tailnetDomain: "tail.test", relays, outbound: { route: "smarthost" } };
const direct = { relays: [], outbound: { route: "mx" } };

describe("the declared routes of mail for elsewhere", () => {
  test("are the relay that the strategy names, with host and port, and not the one for local domains", () => {
    const relay = [{ name: "smarthost", to: "relay", host: "mailbox.tail.test", port: 2525 }];
    expect(routesOf(toSettingKeys(settings(viaRelay)))).toEqual(relay);
    expect(registryRoutesOf(toRegistryObjects(settings(viaRelay)))).toEqual(relay);
  });

  test("are Stalwart's own for direct delivery", () => {
    expect(routesOf(toSettingKeys(settings(direct)))).toEqual([{ name: "mx", to: "mx" }]);
    expect(registryRoutesOf(toRegistryObjects(settings(direct)))).toEqual([{ name: "mx", to: "mx" }]);
  });

  test("are the one of a bare strategy", () => {
    expect(routesOf({ "queue.strategy.route": "'local'" })).toEqual([{ name: "local", to: "local" }]);
  });

  test("differ when a route or the strategy does, and not when a TLS strategy or an address does", () => {
    const before = toSettingKeys(settings(viaRelay));
    expect(routingDiffers(before, before)).toBe(false);
    expect(routingDiffers(before, { ...before, "queue.route.smarthost.port": "25" })).toBe(true);
    expect(routingDiffers(before, toSettingKeys(settings(direct)))).toBe(true);
    expect(
      routingDiffers(before, { ...before, "queue.strategy.tls": "'x'", "server.allowed-ip.192.0.2.1": "" }),
    ).toBe(false);
    expect(concernsRouting("queue.strategy.route")).toBe(true);
    expect(rowConcernsRouting("MtaOutboundStrategy")).toBe(true);
    expect(rowConcernsRouting("MtaTlsStrategy/default")).toBe(false);
  });
});

describe("where a probe is handed in", () => {
  const listeners = (list: StalwartSettingsInput["listeners"]) => settings({ listeners: list });
  const both = (state: ReturnType<typeof settings>) => {
    const found = submissionOf(toFileKeys(state));
    expect(registrySubmissionOf(toRegistryObjects(state))).toEqual(found);
    return found;
  };

  test("is the listener with TLS from the first byte, over loopback when it listens everywhere", () => {
    const state = listeners([
      { name: "smtp", protocol: "smtp", port: 25 },
      { name: "submission", protocol: "smtp", port: 587 },
      { name: "submissions", protocol: "smtp", port: 465, implicitTls: true },
      { name: "imaps", protocol: "imap", port: 993, implicitTls: true },
    ]);
    expect(both(state)).toEqual({ host: "127.0.0.1", port: 465, implicitTls: true });
  });

  test("is one with STARTTLS when there is no other, by its own address when it has one", () => {
    const state = listeners([{ name: "submission", protocol: "smtp", port: 587, bind: "203.0.113.7" }]);
    expect(both(state)).toEqual({ host: "203.0.113.7", port: 587, implicitTls: false });
    expect(both(listeners([{ name: "a", protocol: "smtp", port: 587, bind: "::" }]))?.host).toBe("::1");
  });

  test("is port 25 when nothing else speaks SMTP, and nowhere when nothing does", () => {
    expect(both(listeners([{ name: "smtp", protocol: "smtp", port: 25 }]))?.port).toBe(25);
    expect(both(listeners([{ name: "web", protocol: "http", port: 8080 }]))).toBeUndefined();
  });
});
