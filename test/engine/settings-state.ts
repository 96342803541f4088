/** A desired state as the engine hands it to the provider, for a real Stalwart of a test. */
import { execFileSync } from "node:child_process";

import { toFileKeys, toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { toPrincipals } from "../../lib/desired-state/keys/principals.ts";
import type { StalwartSettings } from "../../lib/desired-state/schema.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import type { ObservedTransport, StalwartServer } from "./stalwart-server.ts";

export const PASSWORD = "alice-password";
export const HASH = execFileSync("openssl", ["passwd", "-6", PASSWORD]).toString().trim();

export function stateOf(server: StalwartServer, settings: StalwartSettings): SettingsState {
  const { domains, accounts, groups, lists } = toPrincipals(settings);
  return {
    target: { dockerHost: "unix:///none", container: "test", api: `http://127.0.0.1:${server.ports.http}` },
    settings: toSettingKeys(settings),
    fileSettings: Object.fromEntries(
      Object.entries(toFileKeys(settings)).map(([k, v]) => [k, server.path(v)]),
    ),
    domains,
    groups,
    lists,
    accounts: Object.fromEntries(
      Object.entries(accounts).map(([name, account]) => [name, { ...account, secret: HASH }]),
    ),
  };
}

/** What a server has of a declaration, in its terms. */
export async function readDeclared(server: StalwartServer, state: SettingsState) {
  const live = await new SettingsResource(() => server.transport()).read(state);
  delete live?.passwordsInForce;
  return live;
}

/** Applies, and says which requests that took and what was said. */
export async function applyTo(
  transport: ObservedTransport,
  desired: SettingsState,
  previous?: SettingsState,
) {
  const log: string[] = [];
  const say = (message: string) => log.push(message);
  const { passwordsInForce } = await new SettingsResource(() => transport).apply(desired, previous, say);
  const probes = transport.requests.filter((request) => request === "probe").length;
  const writes = transport.requests.filter(
    (request) => /^(POST|PATCH|PUT|DELETE) /.test(request) && !request.startsWith("DELETE /api/queue/"),
  );
  const { restarts, requests, pipes } = transport;
  return { writes, probes, log, passwordsInForce, restarts, requests, pipes };
}
