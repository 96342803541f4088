import type { Command, Pipeline, ShellOptions } from "./shell-syntax.ts";
import { waysToSucceed } from "./shell.ts";

/** Something that a health test makes sure of. */
export type Proof =
  | { readonly kind: "tailscaled" }
  | { readonly kind: "connects"; readonly host: string; readonly port: string };

/**
 * What a health test requires: proofs that hold on every way to success; or why nothing can be
 * said.
 */
export type HealthReading =
  | { readonly kind: "requires"; readonly proofs: readonly Proof[] }
  | { readonly kind: "disabled" | "never-succeeds" | "malformed" | "unreadable" };

const SERVICES: Readonly<Record<string, string>> = { postgresql: "5432", postgres: "5432" };
const HEALTH_URL =
  /^(?:https?:\/\/)?(?:127(?:\.\d+){3}|localhost|\[::1?\]|0\.0\.0\.0)(?::\d+)?\/healthz(?:[?#].*)?$/;
const SHELL = /^(?:\/\S*\/)?(?:sh|bash|ash|dash)$/;

/**
 * Takes off what runs another command without changing its status: `timeout 5`, `exec`, `env`,
 * assignments.
 */
function unwrap(words: readonly string[]): readonly string[] {
  const [first = "", ...rest] = words;
  if (/^[A-Za-z_]\w*=/.test(first) || /^(?:exec|command|env|nice)$/.test(first)) return unwrap(rest);
  if (/^(?:\/\S*\/)?timeout$/.test(first)) {
    let at = 0;
    while (rest[at]?.startsWith("-")) at += /^-(?:[sk]|-signal|-kill-after)$/.test(rest[at] ?? "") ? 2 : 1;
    return unwrap(rest.slice(at + 1));
  }
  return words;
}

/** The words that are neither options nor their values, and the options' values by name. */
function operands(
  words: readonly string[],
  withValue: string,
): { rest: string[]; values: Map<string, string> } {
  const rest: string[] = [];
  const values = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const long = /^--([\w-]+)(?:=(.*))?$/.exec(word);
    const short = /^-([a-zA-Z0-9]+)/.exec(word)?.[1];
    if (long)
      values.set(long[1] ?? "", long[2] ?? (/^(?:host|port)$/.test(long[1] ?? "") ? (words[++i] ?? "") : ""));
    else if (short !== undefined) {
      // In a bundle such as -zw3 the first option that takes a value takes the rest of the word, or
      // the next word.
      const at = [...short].findIndex((letter) => withValue.includes(letter));
      if (at >= 0)
        values.set(short[at] ?? "", word.length > at + 2 ? word.slice(at + 2) : (words[++i] ?? ""));
    } else rest.push(word);
  }
  return { rest, values };
}

function connection(host: string | undefined, port: string | undefined): Proof[] {
  return host && port
    ? [{ kind: "connects", host: host.toLowerCase().replace(/\.$/, ""), port: SERVICES[port] ?? port }]
    : [];
}

/**
 * What a command's success proves. `judged`: its output goes to grep or jq, which judge it in place
 * of the exit status.
 */
function proofsOfCommand(command: Command, judged: boolean, options: ShellOptions): Proof[] {
  const proofs = command.redirects.flatMap((target) => {
    const [, host, port] = /^\/dev\/tcp\/([^/]+)\/([^/]+)$/.exec(target) ?? [];
    return connection(host, port);
  });
  const [program = "", ...args] = unwrap(command.words);
  const name = program.replace(/^.*\//, "");
  if (SHELL.test(program)) {
    const at = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
    const inner =
      at < 0
        ? undefined
        : waysToSucceed(args[at + 1] ?? "", {
            ...options,
            errexit: args.some((arg) => /^-[a-z]*e/.test(arg)),
          });
    if (inner) proofs.push(...onEveryWay(inner, options));
  } else if (name === "wget" || name === "curl") {
    // curl exits 0 on 503 unless told to fail; wget does not.
    const fails =
      name === "wget" ||
      judged ||
      args.some((arg) => /^(?:--fail(?:-with-body)?|-[a-zA-Z]*f[a-zA-Z]*)$/.test(arg));
    if (fails && args.some((arg) => HEALTH_URL.test(arg))) proofs.push({ kind: "tailscaled" });
  } else if (name === "tailscale") {
    const sub = args.find((arg) => !arg.startsWith("-"));
    // With --json the status is 0 in any state.
    if (sub === "wait" || (sub === "status" && (judged || !args.some((arg) => /^--?json/.test(arg)))))
      proofs.push({ kind: "tailscaled" });
  } else if (/^(?:nc|ncat|netcat)$/.test(name)) {
    const { rest } = operands(args, "wpsiqxXIOTVPmM");
    if (!args.some((arg) => /^-[a-z]*[lu]/.test(arg))) proofs.push(...connection(rest[0], rest[1]));
  } else if (name === "pg_isready" || name === "psql") {
    const { values } = operands(args, "hpdUtcfvLoPRFT");
    proofs.push(
      ...connection(values.get("h") ?? values.get("host"), values.get("p") ?? values.get("port") ?? "5432"),
    );
  }
  return proofs;
}

function proofsOfPipeline(pipeline: Pipeline, options: ShellOptions): Proof[] {
  const last = pipeline.at(-1);
  if (!last) return [];
  const judges =
    pipeline.length > 1 &&
    (/^(?:e|f)?grep$/.test(last.words[0] ?? "")
      ? !last.words.some((word) => /^-[a-z]*v/.test(word))
      : last.words[0] === "jq" && last.words.includes("-e"));
  // Reading nothing makes grep fail, so what feeds it must have answered.
  return judges
    ? proofsOfCommand(pipeline[0] ?? last, true, options).filter((proof) => proof.kind === "tailscaled")
    : proofsOfCommand(last, false, options);
}

const keyOf = (proof: Proof): string =>
  proof.kind === "tailscaled" ? "tailscaled" : `${proof.host} ${proof.port}`;

function onEveryWay(ways: readonly Pipeline[][], options: ShellOptions): Proof[] {
  const byWay = ways.map(
    (way) =>
      new Map(
        way.flatMap((pipeline) => proofsOfPipeline(pipeline, options)).map((proof) => [keyOf(proof), proof]),
      ),
  );
  const [first, ...others] = byWay;
  return first
    ? [...first].filter(([key]) => others.every((way) => way.has(key))).map(([, proof]) => proof)
    : [];
}

/**
 * Reads Docker's health test: `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", script]`.
 *
 * @param variables the container's environment, for hosts and ports that the script takes from it
 */
export function readHealthTest(
  test: readonly string[],
  variables: ReadonlyMap<string, string>,
): HealthReading {
  const [form, ...rest] = test;
  if (form === "NONE") return { kind: "disabled" };
  const options = { variables };
  let ways: Pipeline[][] | undefined;
  if (form === "CMD-SHELL" && rest[0]?.trim()) ways = waysToSucceed(rest[0], options);
  else if (form === "CMD" && rest.length > 0) {
    const shell = SHELL.test(rest[0] ?? "") ? rest.findIndex((arg) => /^-[a-z]*c$/.test(arg)) : -1;
    const errexit = rest.slice(0, shell + 1).some((arg) => /^-[a-z]*e/.test(arg));
    ways =
      shell < 0
        ? [[[{ words: rest, redirects: [] }]]]
        : waysToSucceed(rest[shell + 1] ?? "", { ...options, errexit });
  } else return { kind: "malformed" };
  if (ways === undefined) return { kind: "unreadable" };
  return ways.length === 0
    ? { kind: "never-succeeds" }
    : { kind: "requires", proofs: onEveryWay(ways, options) };
}
