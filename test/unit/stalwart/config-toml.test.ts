import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";

import { toFileKeys } from "../../../lib/settings/keys.ts";
import { parseSettings } from "../../../lib/settings/parse.ts";
import { renderConfigToml } from "../../../lib/stalwart/config-toml.ts";
import { entrypointEnvironment, stalwartFiles } from "../../../lib/stalwart/files.ts";
import { desired } from "../settings/desired.ts";

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
    expect(text).toContain('authentication.fallback-admin.secret = "%{file:/etc/stalwart/secrets/admin}%"');
    expect(text).not.toMatch(/https?:/);
    expect(text).toContain('spam-filter.pyzor.enable = "false"');
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
      "/etc/stalwart/entrypoint.sh",
      "/etc/stalwart/spam-filter.toml",
    ]);
    for (const file of files) expect(Number.parseInt(file.mode, 8) & 0o222).toBe(0);
    expect(files[1]?.content).toMatch(/^#!\/bin\/bash\n/);
  });
});

test("the entrypoint watches the first plain SMTP listener, and nothing when switched off or without one", () => {
  expect(entrypointEnvironment(settings)).toEqual({
    TAILWART_POSTGRES_HOST: "the-record-prod.tail.test",
    TAILWART_POSTGRES_PORT: "5432",
    TAILWART_WATCH: "on",
    TAILWART_WATCH_PORT: "25",
  });
  expect(entrypointEnvironment(settings, { watch: false }).TAILWART_WATCH).toBe("off");
  const noSmtp = parseSettings({ ...desired, listeners: [{ name: "http", protocol: "http", port: 8080 }] });
  expect(entrypointEnvironment(noSmtp).TAILWART_WATCH).toBe("off");
});
