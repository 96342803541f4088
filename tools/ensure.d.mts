/**
 * Who needs a piece: `engine` = whoever previews or deploys, `lab` = the lab alone, `server` = a
 * lab that is given no other image of Stalwart, `full` = test:full alone.
 */
export type Group = "engine" | "lab" | "server" | "full";

/** A program built from Go modules; `go` is the folder below tools/go. */
export interface GoBuild {
  go: string;
  package: string;
  out: string;
  tags?: string[];
  /** Variables that the linker sets. */
  set?: Record<string, string>;
}

/** A program built from crates; `cargo` is the folder below tools. */
export interface CargoBuild {
  cargo: string;
  out: string;
}

/** BusyBox from Debian's source package; `busybox` is the folder below tools. */
export interface BusyBoxBuild {
  busybox: string;
  /** Debian's release that has it, and its upstream version. */
  suite: string;
  version: string;
}

/** Programs taken out of an npm package. */
export interface NpmBuild {
  npm: string;
  take: Record<string, string>;
}

export type Build = GoBuild | CargoBuild | BusyBoxBuild | NpmBuild;

/**
 * An archive or a program, and where its publisher tells the sha256: in a list (`sums`) or alone
 * (`sum`).
 */
export interface Download {
  url: string;
  sums?: string;
  sum?: string;
  /** Program → path inside the archive; "" = the download itself. */
  take: Record<string, string>;
}

/** One entry of the manifest. */
export interface Piece {
  name: string;
  version: string;
  group: Group;
  programs: string[];
  /** The provider's name, for a Pulumi plugin. */
  plugin?: string;
  /** Accept the machine's own from this version on, if these programs lie beside it. */
  path?: { args: string[]; atLeast: string; beside?: string[] };
  download?: Download | { plugin: string; host: string };
  build: Build[];
}

/** Where a piece is. */
export interface Found {
  piece: Piece;
  /** Its folder in the cache; undefined for what the machine has. */
  folder: string | undefined;
  bin: string;
  version: string;
  /** "on PATH", "official download", "npm package" or "built from pinned sources". */
  source: string;
}

export interface Tools {
  pieces: Found[];
  /** Program name → full path. */
  programs: Record<string, string>;
  /** Folders put in front of PATH. */
  bin: string[];
  /**
   * PATH, TAILWART_BIN and, with the engine, PULUMI_HOME and its switches: to be added to a child's
   * environment.
   */
  env: Record<string, string>;
}

/**
 * Makes what is missing of the groups and tells where everything is.
 *
 * @throws an error named UserError that says what failed, why, and what to run
 * @example const { env } = await ensure(["engine"]);
 */
export function ensure(groups: Group[], options?: { quiet?: boolean }): Promise<Tools>;
export function piecesOf(groups: Group[]): Piece[];
/** Waits for all; when one fails, ends what the others run, and throws what failed first. */
export function allOrEnd(lanes: Promise<void>[]): Promise<void>;
