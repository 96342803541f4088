import { describe, expect, test } from "vitest";

import { componentArgs } from "../../../../config/component-args.ts";
import { loadConfig } from "../../../../config/load.ts";
import { mailSetup } from "../../../../config/mail-setup.ts";
import { mailRecords } from "../../../../lib/dns/mail-records.ts";
import { SECRET_KEYS, SECRETS, validConfig } from "../../../fixtures/config.ts";

const AMS = { name: "ams", dockerHost: "ssh://root@ams.example.org", wanAddress: "198.51.100.7" };
const FRA = { name: "fra", dockerHost: "ssh://root@fra.example.org", wanAddress: "192.0.2.9" };

function load(keys: object) {
  const raw = Object.entries({ ...validConfig(), ...keys, ...SECRETS }).map(([key, value]) => [
    `tailwart:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return loadConfig(Object.fromEntries(raw) as Record<string, string>, (key) => SECRET_KEYS.includes(key))
    .config;
}
const two = (change: object = {}, first: object = {}) =>
  load({
    edges: [
      { ...AMS, ...first },
      { ...FRA, ...change },
    ],
  });

describe("two edges", () => {
  test("are refused where they share a name, a Docker host or an address, by the later one's key", () => {
    expect(() => two({ name: "ams" })).toThrow(/tailwart:edges\[1\]\.name is edges\[0\]\.name already/);
    expect(() => two({ wanAddress: AMS.wanAddress })).toThrow(
      /tailwart:edges\[1\]\.wanAddress is edges\[0\]\.wanAddress already/,
    );
    expect(() => two({ dockerHost: "unix:///a.sock" }, { dockerHost: "unix:///b.sock" })).not.toThrow();
    for (const dockerHost of [AMS.dockerHost, "ssh://AMS.example.org", "ssh://bob@ams.example.org:22"])
      expect(() => two({ dockerHost })).toThrow(
        /tailwart:edges\[1\]\.dockerHost is edges\[0\]\.dockerHost already.*same names; accepts another host/,
      );
    expect(() => two({ dockerHost: "ssh://root@ams.example.org:2222" })).not.toThrow();
  });

  test("without names are refused, since each would be called edge", () => {
    const unnamed = [AMS, FRA].map(({ name: _, ...rest }) => rest);
    expect(() => load({ edges: unnamed })).toThrow(/tailwart:edges\[1\]\.name is edges\[0\]\.name already/);
    expect(load({ edges: unnamed.slice(0, 1) }).edges[0]?.name).toBe("edge");
  });

  test("may have the same site where no public CA is asked for it twice", () => {
    const sites = [{ host: "www.example.org" }];
    expect(() => two({ sites: [{ host: "WWW.example.org" }] }, { sites })).toThrow(
      /tailwart:edges\[1\]\.sites\[0\]\.host is edges\[0\]\.sites\[0\]\.host, .*lesson 7/,
    );
    expect(() => two({ sites, certificates: "internal" }, { sites })).not.toThrow();
    expect(() => two({ sites: [...sites, ...sites], certificates: "internal" })).toThrow(
      /tailwart:edges\[1\]\.sites\[1\]\.host is edges\[1\]\.sites\[0\]\.host already/,
    );
  });

  test("each keep what Stalwart orders to itself, and their own ports", () => {
    const acme = [
      { id: "le", contact: ["a@example.org"], challenge: "dns-persist-01", names: ["www.example.org"] },
    ];
    const sites = [{ host: "www.example.org" }];
    expect(() => load({ acme, edges: [AMS, { ...FRA, sites }] })).toThrow(
      /tailwart:acme\[0\]\.names\[0\] is edges\[1\]\.sites\[0\]\.host, whose certificate Caddy orders/,
    );
    expect(() => two({ fallback: { to: "192.0.2.9:443" } })).toThrow(
      /tailwart:edges\[1\]\.fallback\.to is the edge's own port 443/,
    );
    expect(() => two({ fallback: { to: "198.51.100.7:443" } })).not.toThrow();
  });

  test("are both where the mail host leads, and neither is ever banned (lesson 3)", () => {
    const config = two();
    expect(componentArgs(config).settings.allowedIps).toEqual([
      "100.64.0.0/10",
      "fd7a:115c:a1e0::/48",
      "198.51.100.7",
      "192.0.2.9",
    ]);
    const { records, notes } = mailRecords(mailSetup(config));
    const of = (type: string) => records.filter((record) => record.type === type);
    expect(of("A").filter(({ name }) => name === "mail.example.org")).toMatchObject([
      { address: "198.51.100.7" },
      { address: "192.0.2.9" },
    ]);
    expect(of("MX")).toMatchObject([{ name: "example.org", exchange: "mail.example.org" }]);
    expect(notes.filter(({ what }) => what === "PTR of the edge")).toHaveLength(2);
  });
});

describe("edges", () => {
  test("are a list, and the old key is refused with what to write instead", () => {
    const { edges, ...others } = validConfig();
    const old = () => {
      const raw = Object.entries({ ...others, edge: edges[0], ...SECRETS }).map(([key, value]) => [
        `tailwart:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      loadConfig(Object.fromEntries(raw) as Record<string, string>, (key) => SECRET_KEYS.includes(key));
    };
    expect(old).toThrow(/tailwart:edge is an entry of edges now; accepts tailwart:edges: \[\{ name: edge, /);
    expect(() => load({ edges: [] })).toThrow(/tailwart:edges accepts a list with at least one edge/);
  });

  test.each(["kvm", "Ams", "1st", "ams-", "a.b", "a".repeat(23), ""])("are not called %j", (name) => {
    expect(() => load({ edges: [{ ...AMS, name }] })).toThrow(/tailwart:edges\[0\]\.name accepts up to 22/);
  });

  test.each(["a", "kvm2", "ams-1", "edge"])("may be called %j", (name) => {
    expect(load({ edges: [{ ...AMS, name }] }).edges[0]?.name).toBe(name);
  });
});
