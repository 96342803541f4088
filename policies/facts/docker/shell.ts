/**
 * A small reader of POSIX shell, for the one question that a health test raises: which commands
 * must have succeeded when the script ends with 0? It knows quotes, &&, ||, ;, !, pipelines,
 * groups, subshells, redirections, `exit`, `set -e`, and refuses (undefined) all else.
 */
import { type Node, parse, type Pipeline, type ShellOptions, tokenize, Unreadable } from "./shell-syntax.ts";

/**
 * One way through a script: what succeeded on it, whether it is at its end, and the errexit flag.
 */
interface Way {
  readonly ok: boolean;
  readonly ended: boolean;
  readonly errexit: boolean;
  readonly passed: readonly Pipeline[];
}

const MAX_WAYS = 4096;

function run(node: Node, way: Way, guarded: boolean): Way[] {
  const after = (ways: Way[], next: (way: Way) => Way[]): Way[] => {
    const all = ways.flatMap((w) => (w.ended ? [w] : next(w)));
    if (all.length > MAX_WAYS) throw new Unreadable("too many ways through it");
    return all;
  };
  const leave = (ways: Way[]): Way[] =>
    ways.map((w) => (!guarded && w.errexit && !w.ok ? { ...w, ended: true } : w));
  switch (node.kind) {
    case "pipeline": {
      const [name = "", argument] = node.pipeline.at(-1)?.words ?? [];
      const alone = node.pipeline.length === 1;
      if (alone && (name === "exit" || name === "return")) {
        if (argument !== undefined && !/^(?:\d+|\$\?)$/.test(argument)) throw new Unreadable("exit status");
        return [{ ...way, ok: /^\d/.test(argument ?? "") ? Number(argument) === 0 : way.ok, ended: true }];
      }
      if (alone && name === "set" && /^-[a-z]*e/.test(argument ?? ""))
        return [{ ...way, ok: true, errexit: true }];
      if (name === "true" || name === ":") return [{ ...way, ok: true }];
      if (name === "false") return leave([{ ...way, ok: false }]);
      return leave([
        { ...way, ok: true, passed: [...way.passed, node.pipeline] },
        { ...way, ok: false },
      ]);
    }
    case "not":
      return run(node.of, way, true).map((w) => (w.ended ? w : { ...w, ok: !w.ok }));
    case "background":
      return [{ ...way, ok: true }];
    case "subshell":
      return leave(run(node.of, way, guarded).map((w) => ({ ...w, ended: false, errexit: way.errexit })));
    case "and":
      // errexit spares what fails left of && or ||; on the right `run` sees to it.
      return after(run(node.left, way, true), (w) => (w.ok ? run(node.right, w, guarded) : [w]));
    case "or":
      return after(run(node.left, way, true), (w) => (w.ok ? [w] : run(node.right, w, guarded)));
    case "then":
      return after(run(node.left, way, guarded), (w) => run(node.right, w, guarded));
  }
}

/**
 * The ways on which a script ends with status 0, each as the list of pipelines that succeeded on
 * it. What stands on every one of them is required by the script. Undefined when the script uses a
 * part of the shell that is not read here.
 *
 * @example waysToSucceed("a && b") // [[a, b]]; waysToSucceed("a || b") // [[a], [b]]
 */
export function waysToSucceed(script: string, options: ShellOptions = {}): Pipeline[][] | undefined {
  try {
    const node = parse(tokenize(script, options));
    if (!node) return [[]];
    const start: Way = { ok: true, ended: false, errexit: options.errexit ?? false, passed: [] };
    return run(node, start, false)
      .filter((way) => way.ok)
      .map((way) => [...way.passed]);
  } catch (error) {
    // RangeError: nested too deep for the call stack.
    if (error instanceof Unreadable || error instanceof RangeError) return undefined;
    throw error;
  }
}
