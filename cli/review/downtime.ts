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
   * `estimate`: nobody has measured it. `at most`: a test of the repository fails when it takes
   * longer.
   */
  readonly basis: "estimate" | "at most" | "unknown";
  /** Where the figure is held. */
  readonly source?: string;
}

type Row = Omit<Downtime, "name" | "op">;

/**
 * What a replacement costs. "at most" is a bound that a lab test holds for the same way back to
 * mail (the process stopped, started, and a greeting seen through the edge); everything else is an
 * estimate from the grace periods and retry times in components/. Images are pulled before anything
 * is taken away, so that no figure has a pull in it.
 */
const REPLACED: Readonly<Record<Role, Row>> = {
  anchor: {
    effect:
      "the network namespace is made anew, and sidecar and Stalwart with it: mail is down until the node has logged in and Stalwart's gate has opened",
    seconds: 60,
    basis: "estimate",
  },
  sidecar: {
    effect:
      "the node leaves the tailnet until its successor has logged in; Stalwart keeps running, and is reached again then",
    seconds: 60,
    basis: "at most",
    source: "test/lab/07-sidecar.test.ts",
  },
  stalwart: {
    effect:
      "deliveries under way may finish (30 s), then mail is down until the new container's gate has opened",
    seconds: 30,
    basis: "estimate",
  },
  edge: {
    effect: "the public ports are closed and open sessions are cut until the new Caddy listens",
    seconds: 10,
    basis: "estimate",
  },
  files: {
    effect: "nothing runs in it; Stalwart's own container follows where its files differ",
    seconds: 0,
    basis: "estimate",
  },
  network: {
    effect: "the anchor has to leave it, and is replaced with all that shares its namespace",
    seconds: 60,
    basis: "estimate",
  },
  settings: {
    effect: "the settings are taken back and written again; Stalwart runs without them meanwhile",
    seconds: 30,
    basis: "estimate",
  },
  reload: {
    effect: "Caddy checks the new config and takes it over; live sessions go on",
    seconds: 0,
    basis: "at most",
    source: "test/engine/caddy-reload.test.ts",
  },
  container: { effect: "what it serves is down until the new one runs", basis: "unknown" },
};

const UPDATED: Partial<Record<Role, Row>> = {
  settings: {
    effect:
      "written, reloaded and read back; Stalwart starts over only where it runs with other values of its config file",
    seconds: 30,
    basis: "estimate",
  },
  reload: REPLACED.reload,
};

const DELETED = "is taken away: mail is down until it is there again";
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
  if (op === "replace") return REPLACED[role];
  if (op === "update") return UPDATED[role];
  if (op === "delete" && VITAL.has(role)) return { effect: `it ${DELETED}`, basis: "unknown" };
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
