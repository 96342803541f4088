import { plainName } from "../hosts.ts";

/** Something that a health test makes sure of. */
export type Proof =
  | { readonly kind: "tailscaled" }
  | { readonly kind: "connects"; readonly host: string; readonly port: string };

/** What holds whenever a health test succeeds; or why nothing can be said. */
export type HealthReading =
  | { readonly kind: "requires"; readonly proofs: readonly Proof[] }
  | { readonly kind: "disabled" | "malformed" | "unreadable" };

/** A command: its words with quotes taken off, and where its redirections lead. */
interface Command {
  readonly words: string[];
  readonly redirects: string[];
  /** What joins it to the ones before. */
  readonly after: "&&" | "||";
}

type Variables = ReadonlyMap<string, string>;

const WORD = String.raw`(?:'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|\$\{[^}]*\}|[^\s'"\\;&|()<>])+`;
/** A comment, `&&` or `||`, a redirection with its target, or a word. */
const ITEM = new RegExp(
  String.raw`[ \t]*(?:#[^\n]*|(&&|\|\|)\s*|\d*(?:>>|>&|<>|[<>])[ \t]*(${WORD})|(${WORD}))`,
  "y",
);
/** Words of the shell by which something else decides what is run, or how the script ends. */
const CONTROL = new Set(
  "! { } [[ if then elif else fi for while until do done case esac in function select time coproc builtin exec eval . source exit return break continue false set trap alias".split(
    " ",
  ),
);

/** The commands of a script that are joined by `&&` or `||`; undefined for any other script. */
function commandsOf(script: string, variables: Variables): Command[] | undefined {
  const text = script.replaceAll("\\\n", "").trim();
  if (/`|\$\(/.test(text)) return undefined;
  const commands: Command[] = [{ words: [], redirects: [], after: "&&" }];
  ITEM.lastIndex = 0;
  while (ITEM.lastIndex < text.length) {
    const item = ITEM.exec(text);
    if (!item) return undefined;
    const [, joint, target, word] = item;
    if (joint === "&&" || joint === "||") commands.push({ words: [], redirects: [], after: joint });
    if (target !== undefined) commands.at(-1)?.redirects.push(withoutQuotes(target, variables));
    if (word !== undefined) commands.at(-1)?.words.push(withoutQuotes(word, variables));
  }
  return commands.every(({ words, redirects }) => words.length + redirects.length > 0) ? commands : undefined;
}

const withoutQuotes = (word: string, variables: Variables): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|((?:\$\{[^}]*\}|[^'"\\])+)/g,
    (_, single?: string, double?: string, escaped?: string, bare = "") =>
      single ?? escaped ?? expand(double?.replace(/\\(["\\$])/g, "$1") ?? bare, variables),
  );

/** Fills in `$NAME`, `${NAME}` and `${NAME:-default}`; what has no value is left as it is. */
const expand = (text: string, variables: Variables): string =>
  text.replace(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g,
    (whole, braced?: string, fallback?: string, plain?: string) =>
      variables.get(braced ?? plain ?? "") ?? fallback ?? whole,
  );

/** Takes off what runs a command without changing its status: `timeout 5`, `env`, assignments. */
function unwrap(words: readonly string[]): readonly string[] {
  const [first = "", ...rest] = words;
  if (/^[A-Za-z_]\w*=/.test(first) || /^(?:command|env|nice)$/.test(first)) return unwrap(rest);
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
      // In -zw3 the first option with a value takes the rest of the word, or the next word.
      const at = [...short].findIndex((letter) => withValue.includes(letter));
      if (at >= 0)
        values.set(short[at] ?? "", word.length > at + 2 ? word.slice(at + 2) : (words[++i] ?? ""));
    } else rest.push(word);
  }
  return { rest, values };
}

const SERVICES: Readonly<Record<string, string>> = { postgresql: "5432", postgres: "5432" };
const HEALTH_URL =
  /^(?:https?:\/\/)?(?:127(?:\.\d+){3}|localhost|\[::1?\]|0\.0\.0\.0)(?::\d+)?\/healthz(?:[?#].*)?$/;
const SHELL = /^(?:\/\S*\/)?(?:sh|bash|ash|dash)$/;
const TAILSCALED: readonly Proof[] = [{ kind: "tailscaled" }];

const connection = (host: string | undefined, port: string | undefined): Proof[] =>
  host && port ? [{ kind: "connects", host: plainName(host), port: SERVICES[port] ?? port }] : [];

/** What the success of a program proves. */
function proofsOfProgram(name: string, args: readonly string[]): readonly Proof[] {
  switch (name) {
    case "wget":
      return args.some((arg) => HEALTH_URL.test(arg)) ? TAILSCALED : [];
    case "curl": {
      // It succeeds on 503 without --fail.
      const fails = args.some((arg) => /^(?:--fail(?:-with-body)?|-[a-zA-Z]*f[a-zA-Z]*)$/.test(arg));
      return fails && args.some((arg) => HEALTH_URL.test(arg)) ? TAILSCALED : [];
    }
    case "tailscale": {
      const [verb] = args.filter((arg) => !arg.startsWith("-"));
      // With --json the status is 0 in any state.
      const decides = verb === "wait" || (verb === "status" && !args.some((arg) => /^--?json/.test(arg)));
      return decides ? TAILSCALED : [];
    }
    case "nc":
    case "ncat":
    case "netcat": {
      const { rest } = operands(args, "wpsiqxXIOTVPmM");
      const connects = !args.some((arg) => /^-[a-z]*[lu]/.test(arg));
      return connects ? connection(rest[0], rest[1]) : [];
    }
    case "pg_isready":
    case "psql": {
      const { values } = operands(args, "hpdUtcfvLoPRFT");
      const port = values.get("p") ?? values.get("port") ?? "5432";
      return connection(values.get("h") ?? values.get("host"), port);
    }
    default:
      return [];
  }
}

/** What never succeeds after `||`: Docker's own examples end in `|| exit 1`. */
const fails = ([program, argument = ""]: readonly string[]): boolean =>
  program === "false" || (program === "exit" && /^(?:[1-9]\d*)?$/.test(argument));
/** Commands whose success says nothing: with them at the end of an `||` everything is healthy. */
const succeeds = ([program, argument]: readonly string[]): boolean =>
  program === "true" || program === ":" || (program === "exit" && argument === "0");

const same = (a: Proof, b: Proof): boolean =>
  a.kind === "connects" && b.kind === "connects" ? a.host === b.host && a.port === b.port : a.kind === b.kind;

/** What the success of one command proves; undefined where something else may be run. */
function proofsOfCommand({ words, redirects }: Command, variables: Variables): Proof[] | undefined {
  const [program = "", ...args] = unwrap(words);
  if (CONTROL.has(program)) return undefined;
  const opened = redirects.flatMap((target) => {
    const [, host, port] = /^\/dev\/tcp\/([^/]+)\/([^/]+)$/.exec(target) ?? [];
    return connection(host, port);
  });
  const option = SHELL.test(program) ? args.findIndex((arg) => /^-[a-z]*c$/.test(arg)) : -1;
  const inner =
    option < 0
      ? proofsOfProgram(program.replace(/^.*\//, ""), args)
      : proofsOf(commandsOf(args[option + 1] ?? "", variables), variables);
  return inner && [...opened, ...inner];
}

/**
 * What the success of a script proves, from left to right as the shell joins: after `&&` both
 * sides, after `||` only what either side proves. Undefined where some command cannot be read.
 */
function proofsOf(commands: readonly Command[] | undefined, variables: Variables): Proof[] | undefined {
  let proofs: Proof[] = [];
  for (const [index, command] of (commands ?? []).entries()) {
    const { words, after } = command;
    // Whatever comes after an `exit 0` is not run.
    if (words[0] === "exit" && (after === "&&" || (succeeds(words) && index + 1 < (commands ?? []).length)))
      return undefined;
    if (after === "||" && fails(words)) continue;
    const own = succeeds(words) ? [] : proofsOfCommand(command, variables);
    if (!own) return undefined;
    proofs =
      after === "&&" ? [...proofs, ...own] : proofs.filter((one) => own.some((other) => same(one, other)));
  }
  return commands && proofs;
}

/**
 * Reads Docker's health test: `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", script]`.
 *
 * @param variables the container's environment, for hosts and ports that the script takes from it
 */
export function readHealthTest(test: readonly string[], variables: Variables): HealthReading {
  const [form, ...words] = test;
  if (form === "NONE") return { kind: "disabled" };
  if ((form !== "CMD" && form !== "CMD-SHELL") || !words[0]?.trim()) return { kind: "malformed" };
  const commands =
    form === "CMD" ? [{ words, redirects: [], after: "&&" as const }] : commandsOf(words[0], variables);
  const proofs = proofsOf(commands, variables);
  return proofs ? { kind: "requires", proofs } : { kind: "unreadable" };
}
