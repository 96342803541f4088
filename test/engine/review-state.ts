import { createHash } from "node:crypto";

import { LOGIN_KEY_LABEL } from "../../lib/tailnet/login-key.ts";
import type { EngineEvent } from "../../cli/review/events.ts";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = "4dabf18193072939515e22adb298388d";
/** Name of the resource that is the sidecar's login key. */
const LOGIN_KEY = "mail-identity-key";
/** A bcrypt hash of nothing in particular. */
const HASH = `$2b$10$${"a".repeat(53)}`;

/** What the docker provider adds to a container's outputs. */
const CONTAINER = {
  attach: false,
  command: [],
  entrypoints: [],
  envs: [],
  logs: false,
  memoryReservation: 0,
  networkDatas: [],
  readOnly: false,
  rm: false,
  securityOpts: [],
  stdinOpen: false,
  tty: false,
  wait: false,
};
const KEY = {
  key: "dummy",
  createdAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-01-01T01:00:00Z",
  invalid: false,
  userId: "1",
};
const PASSWORD = { result: "dummydummydummydummy", bcryptHash: HASH };

interface Made {
  urn: string;
  type: string;
  custom?: boolean;
  parent?: string;
  provider?: string;
  inputs: Record<string, unknown>;
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
/** As Docker's ids look. */
const idOf = (name: string): string => createHash("sha256").update(name).digest("hex");
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The state of a stack whose first preview these events are, as if it had been deployed: no Docker
 * daemon is there to do that. Ids are made up; uploads that hold secrets are not what the program
 * would upload, so that a preview of the same program replaces their container.
 */
export function deployedState(events: readonly EngineEvent[]): string {
  const made = events
    .map(({ resourcePreEvent }) => resourcePreEvent?.metadata)
    .filter((step) => step?.op === "create")
    .map((step) => step?.new as unknown as Made);
  const resources = made.map((one) => {
    const inputs = known(one.inputs, "") as Record<string, unknown>;
    const id = one.custom ? idOf(nameOf(one.urn)) : undefined;
    return {
      urn: one.urn,
      type: one.type,
      custom: one.custom === true,
      ...(id && { id }),
      inputs,
      outputs: { ...outputsOf(one.type, withoutDefaults(inputs) as Record<string, unknown>, id) },
      ...(one.parent && { parent: one.parent }),
      ...(one.provider && {
        provider: one.provider.replace(UNKNOWN, idOf(one.provider.split("::").at(-2) ?? "")),
      }),
    };
  });
  const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "" };
  return JSON.stringify({ version: 3, deployment: { manifest, resources } });
}

function known(value: unknown, key: string): unknown {
  if (value === UNKNOWN) return key === "networkMode" ? `container:${idOf("mail-anchor")}` : `known-${key}`;
  if (Array.isArray(value)) return value.map((each) => known(each, key));
  if (!isMap(value)) return value;
  if (SECRET in value) {
    if (key === "uploads") return [{ file: "/etc/tailwart/authkey", content: "dummy", permissions: "0400" }];
    return key === "secret" ? HASH : "dummy";
  }
  // The one label whose value is another resource's id, and stays while that does.
  if (value["label"] === LOGIN_KEY_LABEL && value["value"] === UNKNOWN)
    return { ...value, value: idOf(LOGIN_KEY) };
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, known(each, name)]));
}

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "__defaults");
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutDefaults(each)]));
}

function outputsOf(
  type: string,
  inputs: Record<string, unknown>,
  id: string | undefined,
): Record<string, unknown> {
  if (type === "docker:index/container:Container") {
    const { healthcheck } = inputs;
    return {
      ...CONTAINER,
      ...inputs,
      id,
      ...(isMap(healthcheck) && { healthcheck: { retries: 0, ...healthcheck } }),
    };
  }
  if (type.startsWith("docker:")) return { ...inputs, id };
  if (type.startsWith("random:")) return { ...inputs, id, ...PASSWORD };
  if (type === "tailscale:index/tailnetKey:TailnetKey") return { ...inputs, ...KEY };
  return inputs;
}
