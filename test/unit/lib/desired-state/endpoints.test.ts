import { describe, expect, test } from "vitest";

import { endpointRules } from "../../../../lib/desired-state/endpoints.ts";
import { toFileKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import { desired } from "./desired.ts";

const settings = parseSettings({
  ...desired,
  accounts: [],
  listeners: [
    { name: "smtp", protocol: "smtp", port: 25 },
    { name: "https", protocol: "http", port: 443, implicitTls: true },
    { name: "admin", protocol: "http", port: 8080, proxy: false, management: true },
  ],
});
const rules = endpointRules(settings, "url_path");

/**
 * Whether a rule about the path holds for one; the server's regular expressions mean the same in
 * these patterns.
 */
function isOpen(path: string): boolean {
  return rules.some(([condition]) => {
    const [, flags, pattern] = /^matches\('(\(\?i\))?(.*)', url_path\)$/.exec(condition) ?? [];
    return pattern !== undefined && new RegExp(pattern, flags ? "i" : "").test(path);
  });
}

describe("a listener without management answers", () => {
  test.each([
    "/jmap",
    "/jmap/",
    "/jmap/session",
    "/jmap/download/a/b/c",
    "/dav/cal/alice/default/1.ics",
    "/.well-known/mta-sts.txt",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/.well-known/acme-challenge/token",
    "/.well-known/oauth-authorization-server",
    "/.well-known/user-agent-configuration.json",
    "/auth/token",
    "/auth/device",
    "/auth/jwks.json",
    "/calendar/rsvp",
    "/mail/config-v1.1.xml",
    "/autodiscover/autodiscover.xml",
    "/Autodiscover/Autodiscover.xml",
    "/AutoDiscover/autodiscover.json/v1.0/alice@lab.test",
    "/robots.txt",
  ])("%s, as mail programs ask for it", (path) => {
    expect(isOpen(path)).toBe(true);
  });

  test.each(["/wp-login.php", "/PHPMyAdmin/", "/cgi-bin/luci", "/../etc/passwd", "/index.php"])(
    "%s, so that whoever scans is banned",
    (path) => {
      expect(isOpen(path)).toBe(true);
    },
  );
});

test.each([
  "/",
  "",
  "*",
  "/api",
  "/api/",
  "/api/settings/list",
  "/api/oauth",
  "/api/account/auth",
  "/api/discover/alice@lab.test",
  "/api/../jmap",
  "/api/wp-login.php",
  "//api/principal",
  "/admin",
  "/admin/wp-login.php",
  "/login",
  "/account",
  "/account/",
  "/authorize/code",
  "/device",
  "/logo.svg",
  "/index.html",
  "/metrics/prometheus",
  "/healthz/live",
  "/form",
  "/jmapx",
  "/JMAP/session",
  "/mail",
  "/mail/config-v1x1xml",
  "/calendar",
  "/well-known/mta-sts.txt",
])("a listener without management refuses %s", (path) => {
  expect(isOpen(path)).toBe(false);
});

describe("management is open on the listener that is declared for it", () => {
  test("on the 0.15 line by keys of the config file, which hold from the first start on", () => {
    const keys = Object.entries(toFileKeys(settings)).filter(([key]) => key.startsWith("http."));
    expect(keys).toEqual([
      ["http.allowed-endpoint.0000.if", "listener == 'admin'"],
      ["http.allowed-endpoint.0000.then", "200"],
      ["http.allowed-endpoint.0001.if", rules[1]?.[0]],
      ["http.allowed-endpoint.0001.then", "200"],
      ["http.allowed-endpoint.0002.if", rules[2]?.[0]],
      ["http.allowed-endpoint.0002.then", "200"],
      ["http.allowed-endpoint.0003.else", "404"],
    ]);
  });

  test("in the registry by an expression, which calls the path by another name", () => {
    const { match, else: otherwise } = toRegistryObjects(settings)["Http"]?.["allowedEndpoints"] as {
      match: Record<string, { if: string; then: string }>;
      else: string;
    };
    expect(match["0"]).toEqual({ if: "listener == 'admin'", then: "200" });
    expect(match["1"]?.if).toMatch(/, path\)$/);
    expect(Object.keys(match)).toEqual(["0", "1", "2"]);
    expect(otherwise).toBe("404");
  });
});
