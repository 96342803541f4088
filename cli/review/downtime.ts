import { readRecord } from "../faults/record.ts";

/** Part of the stack whose replacement is felt. */
export type Role =
  "anchor" | "sidecar" | "stalwart" | "edge" | "files" | "container" | "settings" | "reload" | "network";

/** What happens to one part. */
export interface RoleChange {
  readonly role: Role;
  readonly op: string;
  readonly name: string;
}

/** How long mail is down for one change. */
export interface Downtime {
  readonly name: string;
  readonly op: string;
  readonly effect: string;
  /** Seconds. Undefined: until somebody puts it back, or unknown. */
  readonly seconds?: number;
  /**
   * `measured`: in the lab, under traffic. `at most`: a test of the repository fails when it takes
   * longer. `certain`: nothing that serves mail is touched.
   */
  readonly basis: "measured" | "at most" | "certain" | "unknown";
  /** Where the figure is held. */
  readonly source?: string;
}

type Row = Omit<Downtime, "name" | "op">;

/** For how long mail was refused in the last run of a fault, in whole seconds. */
function measured(fault: string, effect: string): Row {
  const row = readRecord().find((each) => each.fault === fault);
  if (!row) return { effect, basis: "unknown" };
  return { effect, seconds: Math.ceil(row.refusing), basis: "measured", source: "docs/reliability.md" };
}

const RELOAD: Row = {
  effect: "Caddy checks the new config and takes it over; live sessions go on",
  seconds: 0,
  basis: "at most",
  source: "test/engine/caddy-reload.test.ts",
};

/**
 * What a replacement costs: the seconds for which senders were told to try again while an `up` did
 * it. Images are pulled before anything is taken away, so that no figure has a pull in it.
 */
const REPLACED: Readonly<Record<Role, () => Row>> = {
  anchor: () =>
    measured(
      "anchor-replaced",
      "the network namespace is made anew, and sidecar and Stalwart with it: mail is down until the node has logged in and Stalwart's gate has opened",
    ),
  sidecar: () =>
    measured(
      "sidecar-replaced",
      "the node leaves the tailnet until its successor has logged in; Stalwart keeps running, and is reached again then",
    ),
  stalwart: () =>
    measured(
      "stalwart-replaced",
      "deliveries under way may finish (30 s), then mail is down until the new container's gate has opened",
    ),
  edge: () =>
    measured(
      "edge-replaced",
      "open sessions are cut; where there is no other edge, mail waits until the new Caddy listens",
    ),
  files: () => ({
    effect: "nothing runs in it; Stalwart's own container follows where its files differ",
    seconds: 0,
    basis: "certain",
  }),
  network: () =>
    measured(
      "anchor-replaced",
      "the anchor has to leave it, and is replaced with all that shares its namespace",
    ),
  settings: () =>
    measured(
      "settings-changed",
      "the settings are taken back and written again; Stalwart runs without them meanwhile",
    ),
  reload: () => RELOAD,
  container: () => ({ effect: "what it serves is down until the new one runs", basis: "unknown" }),
};

const UPDATED: Partial<Record<Role, () => Row>> = {
  settings: () =>
    measured(
      "settings-changed",
      "written, reloaded and read back; Stalwart starts over only where it runs with other values of its config file",
    ),
  reload: () => RELOAD,
};

const DELETED = "mail is down until it is there again";
/** Roles without which no mail flows. */
const VITAL: ReadonlySet<Role> = new Set(["anchor", "sidecar", "stalwart", "edge", "network"]);

/**
 * What these changes cost, the dearest first. A first deployment costs nothing: there is no mail
 * yet.
 */
export function downtimeOf(changes: readonly { readonly part?: RoleChange }[]): Downtime[] {
  const parts = changes.flatMap(({ part }) => (part ? [part] : []));
  return parts
    .flatMap((part): Downtime[] => {
      const row = rowOf(part);
      if (!row) return [];
      return [{ name: part.name, op: part.op, ...row }];
    })
    .toSorted((a, b) => (b.seconds ?? Infinity) - (a.seconds ?? Infinity));
}

function rowOf({ role, op }: RoleChange): Row | undefined {
  if (op === "replace") return REPLACED[role]();
  if (op === "update") return UPDATED[role]?.();
  if (op === "delete" && VITAL.has(role))
    return {
      effect: `it is taken away: ${role === "edge" ? "where there is no other edge, " : ""}${DELETED}`,
      basis: "unknown",
    };
  return undefined;
}

/**
 * Mail's downtime in all: parts are replaced beside or within each other, so that the longest
 * counts.
 *
 * @returns seconds, or undefined when one of them has no end that is known
 */
export function longest(downtime: readonly Downtime[]): number | undefined {
  if (downtime.some(({ seconds }) => seconds === undefined)) return undefined;
  return Math.max(0, ...downtime.map(({ seconds = 0 }) => seconds));
}
