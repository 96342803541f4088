import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";

import { toFileKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { WATCH_LISTENER } from "../../../../lib/mail-services.ts";
import { renderConfigJson } from "../../../../lib/stalwart/config-json.ts";
import { renderConfigToml, renderRecoveryToml } from "../../../../lib/stalwart/config-toml.ts";
import { entrypointEnvironment, stalwartFiles } from "../../../../lib/stalwart/files.ts";
import { desired } from "../desired-state/desired.ts";

const settings = parseSettings(desired);

/** The keys of a TOML document as Stalwart flattens them. */
function flatten(value: unknown, path = ""): Record<string, string> {
  if (typeof value !== "object" || value === null) return { [path]: String(value) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, v]) => flatten(v, path ? `${path}.${key}` : key)),
  );
}

describe("config.toml", () => {
  test("is TOML and holds exactly the keys of the preview", () => {
    expect(flatten(parse(renderConfigToml(settings)))).toEqual(toFileKeys(settings));
  });

  test("names secrets by file only, and asks nothing of the internet", () => {
    const text = renderConfigToml(settings);
    expect(text).toContain('store.postgres.password = "%{file:/etc/stalwart/secrets/postgres}%"');
    // Every protocol on every listener would let an administrator of the config file in.
    expect(text).not.toMatch(/^authentication\./m);
    expect(text).not.toMatch(/https?:/);
    expect(text).toContain('spam-filter.pyzor.enable = "false"');
  });

  test("asks for TLS to Postgres where it is declared, and never takes a certificate that does not verify", () => {
    const encrypted = { ...settings, postgres: { ...settings.postgres, tls: true } };
    expect(renderConfigToml(encrypted)).toContain('store.postgres.tls.enable = "true"');
    expect(renderConfigToml(encrypted)).toContain('store.postgres.tls.allow-invalid-certs = "false"');
    expect(JSON.parse(renderConfigJson(encrypted))).toMatchObject({ useTls: true, allowInvalidCerts: false });
    expect(JSON.parse(renderConfigJson(settings))).toMatchObject({ useTls: false, allowInvalidCerts: false });
  });

  test("refuses what Stalwart's own TOML parser would mistake", () => {
    const spoilt = { ...settings, hostname: 'a"b' };
    expect(() => renderConfigToml(spoilt)).toThrow(/server\.hostname holds a quote/);
    expect(() => renderConfigToml(spoilt)).not.toThrow(/a"b/);
  });
});

describe("the container's files", () => {
  test("are config, entrypoint and an empty set of spam rules, none of them writable", () => {
    const files = stalwartFiles(settings);
    expect(files.map((file) => file.path)).toEqual([
      "/etc/stalwart/config.toml",
      "/etc/stalwart/recovery.toml",
      "/etc/stalwart/entrypoint.sh",
      "/etc/stalwart/recovery.sh",
      "/etc/stalwart/spam-filter.toml",
    ]);
    for (const file of files) expect(Number.parseInt(file.mode, 8) & 0o222).toBe(0);
    expect(files[2]?.content).toMatch(/^#!\/bin\/bash\n/);
  });

  test("for recovery, are a config with the API's listener alone and all else as it is", () => {
    const lines = (text: string) => text.split("\n").filter((line) => !/^(#|$)/.test(line));
    const missing = lines(renderConfigToml(settings)).filter(
      (line) => !lines(renderRecoveryToml(settings)).includes(line),
    );
    expect(missing.map((line) => line.split(".").slice(0, 3).join("."))).toEqual(
      missing.map(() => expect.stringMatching(/^server\.listener\.(smtp|submissions)$/)),
    );
    expect(missing.length).toBeGreaterThan(0);
    expect(renderRecoveryToml(settings)).toContain('server.listener.http.bind = "0.0.0.0:8080"');
  });

  test("for recovery, take neither the rules that would switch tables of addresses on, nor tables", () => {
    const fetching = parseSettings({
      ...desired,
      spamRules: "upstream",
      geo: { asnUrls: ["https://geo.lab.test/1/4.csv"] },
    });
    expect(renderConfigToml(fetching)).toContain("https://geo.lab.test/1/4.csv");
    const recovery = renderRecoveryToml(fetching);
    expect(recovery).toContain('spam-filter.resource = "file:///etc/stalwart/spam-filter.toml"');
    expect(recovery).toContain('asn.type = "disabled"');
    expect(recovery).not.toMatch(/https?:/);
  });
});

test("the entrypoint watches the listener that is there for it, and nothing when switched off or without one", () => {
  const watched = parseSettings({ ...desired, listeners: [...desired.listeners, WATCH_LISTENER] });
  expect(entrypointEnvironment(watched)).toEqual({
    TAILWART_POSTGRES_HOST: "the-record-prod.tail.test",
    TAILWART_POSTGRES_PORT: "5432",
    TAILWART_ADMIN: "admin:/etc/stalwart/secrets/admin",
    TAILWART_WATCH: "on",
    TAILWART_WATCH_PORT: "10025",
    TAILWART_MARKER_KEY: "tailwart.applied",
    TAILWART_RECOVERY: "/usr/local/bin/stalwart --config /etc/stalwart/recovery.toml",
  });
  expect(entrypointEnvironment(watched, { watch: false }).TAILWART_WATCH).toBe("off");
  expect(entrypointEnvironment(settings).TAILWART_WATCH).toBe("off");
});
