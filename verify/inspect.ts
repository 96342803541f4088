/** One of the stack's containers, as far as a check looks at it. */
export interface ContainerState {
  name: string;
  /** Whether it runs and is not paused. */
  running: boolean;
  paused: boolean;
  /** Why Docker could not start it; "" otherwise. */
  error: string;
  /** Docker's word for its health; "" where it has no healthcheck. */
  health: string;
  /** What it was made from. @example "registry.example.org/caddy-l4@sha256:…" */
  image: string;
  startedAt: string;
}

/** What `docker inspect` says of a host's containers. */
export interface Inspected {
  states: ContainerState[];
  /** Docker's own words where it does not answer; "" otherwise. */
  trouble: string;
}

interface Raw {
  Name: string;
  State: {
    Running: boolean;
    Paused?: boolean;
    Error: string;
    StartedAt: string;
    Health?: { Status: string };
  };
  Config: { Image: string };
}

/**
 * Reads `docker inspect NAME…`: it lists those that there are, and complains of the others, one a
 * line ("Error: No such object: NAME").
 */
export function readInspected(stdout: string, stderr: string): Inspected {
  const complaints = stderr.split("\n").filter((line) => line.trim() !== "");
  const others = complaints.filter((line) => !/no such (object|container)/i.test(line));
  const list = parsed(stdout);
  // Of a host that cannot be asked, docker lists nothing as well.
  if (list === undefined || (list.length === 0 && others.length > 0))
    return { states: [], trouble: others.join("; ").trim() || "no answer" };
  const states = list.map(({ Name, State, Config }) => ({
    name: Name.replace(/^\//, ""),
    running: State.Running && State.Paused !== true,
    paused: State.Paused === true,
    error: State.Error,
    health: State.Health?.Status ?? "",
    image: Config.Image,
    startedAt: State.StartedAt,
  }));
  return { states, trouble: "" };
}

function parsed(text: string): Raw[] | undefined {
  try {
    return JSON.parse(text) as Raw[];
  } catch {
    return undefined;
  }
}
