/** Restarts of a live server, for what it takes at its start alone. */
import { UserError } from "../lib/errors.ts";
import type { SettingKeys } from "../lib/settings/keys.ts";
import type { StalwartApi } from "./api.ts";
import { type Askable, waitUntilReady } from "./ready.ts";
import type { SettingsState } from "./state.ts";
import type { Transport } from "./transport.ts";
import { PartialError } from "./write.ts";

/** What a server has that the entrypoint has started with an administrator of last resort. */
const LAST_RESORT = "authentication.fallback-admin.user";

/** Keys of config.toml whose live value differs, or that it should not have any more. The file is read at start only. */
export async function staleFileKeys(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
): Promise<string[]> {
  const before: SettingKeys = previous?.fileSettings ?? {};
  const keys = Object.keys({ ...before, ...desired.fileSettings });
  if (desired.admin) keys.push(LAST_RESORT);
  const live = await api.readSettings(keys, []);
  return keys.filter((key) => live[key] !== desired.fileSettings[key]);
}

/**
 * Restarts the server and waits until its API answers.
 *
 * @param deadline milliseconds for the wait
 * @throws Error when it cannot be restarted
 * @throws UserError that says why it does not answer
 */
export async function restartServer(api: Askable, deadline?: number): Promise<void> {
  const result = await api.transport.restart(60_000);
  if (result.status !== 0)
    throw new Error(`${api.transport.name} could not be restarted: ${result.stderr.trim()}`);
  await waitUntilReady(api, deadline);
}

/**
 * Refuses a server that could not open a port: it says so in its log, serves the others, and
 * answers its API as if nothing were wrong (common/src/network/listen.rs, `bind_and_drop_priv`;
 * seen on 0.16.18).
 *
 * @throws PartialError that names each address and why: everything else is in force
 */
export async function checkPorts({ name, inspect }: Transport): Promise<void> {
  const ports = unboundPorts((await inspect(10_000)).log);
  if (ports.length === 0) return;
  throw new PartialError(
    new UserError(
      `Stalwart in ${name} cannot listen everywhere; all else is in force:\n  ${ports.join("\n  ")}`,
      {
        path: "services",
        hint:
          "Another process of the sidecar's network namespace has the port: end it, or take the service from " +
          "tailwart:services.",
      },
    ),
  );
}

/**
 * What a server says since its last start about ports that it could not open, each once.
 *
 * @example unboundPorts('… reason = "Failed to bind to [::]:587: Address already in use"') // ["[::]:587: Address already in use"]
 */
export function unboundPorts(log: string): string[] {
  const start = log.slice(Math.max(log.lastIndexOf("tailwart: gate: "), 0));
  return [...new Set([...start.matchAll(/Failed to bind to (\S+: [^"\n]+)/g)].map(([, what]) => what ?? ""))];
}

/** @throws UserError when the file that was read at the start is not the declared one */
export async function checkFile(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
): Promise<void> {
  const still = await staleFileKeys(api, desired, previous);
  if (still.length === 0) return;
  throw new UserError(
    `config.toml in ${api.transport.name} does not hold what is declared for ${still.join(", ")}`,
    {
      path: still[0] ?? "",
      hint: "Make the container anew, with its files: pulumi up --replace <URN of the container>",
    },
  );
}
