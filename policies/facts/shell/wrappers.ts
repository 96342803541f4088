import { OPEN } from "../command-scripts.ts";

/** What a program runs in turn: a script, other words; or nothing that is known here. */
export type Inner =
  | { readonly kind: "script"; readonly text: string; readonly input: string }
  | { readonly kind: "code"; readonly text: string; readonly input: string }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "none" };

const NONE: Inner = { kind: "none" };

const SHELL = /^(?:ba|da|a|z|k)?sh$/;
/** Programs that run the program among their words. */
const RUNS_ANOTHER =
  /^(?:sudo|doas|env|exec|command|nohup|nice|ionice|time|timeout|setsid|stdbuf|chroot|nsenter|unshare|systemd-run|flock|xargs|parallel|find|retry|watch|unbuffer|sshpass|busybox)$/;
/** Of these, only some commands run another program. */
const IN_CONTAINER =
  /^(?:docker|podman|nerdctl|docker-compose|podman-compose|kubectl|k3s|oc|lxc|incus|machinectl|tailscale)$/;
const RUNS_IN_CONTAINER = /^(?:exec|run|shell|ssh|kubectl|crictl)$/;
/** What is run behind all those. */
const KNOWN =
  /^(?:stalwart-cli|curl|wget|https?|xhs?|docker|podman|nerdctl|docker-compose|podman-compose|kubectl|systemctl|service|rc-service|supervisorctl|ssh|python[\d.]*|node|deno|bun|ruby|perl|php|(?:ba|da|a|z|k)?sh|echo|printf|cat|kill|reboot|sudo|env|xargs)$/;
/** Programs that do what a text says; they stand for themselves where that is not known. */
export const RUNS_TEXT =
  /^(?:(?:ba|da|a|z|k)?sh|python[\d.]*|node|deno|bun|ruby|perl|php|eval|source|\.|ssh|autossh|at|batch)$/;
const INTERPRETER = /^(?:python[\d.]*|node|deno|bun|ruby|perl|php)$/;
/** Options of ssh with a value of their own. */
const SSH_VALUE = /^-[a-zA-Z]*[bcDEeFIiJLlmOopQRSWw]$/;

/** A program, or an image that is named as its program, without folder and tag. */
const programOf = (word: string): string => word.replace(/^.*\//s, "").replace(/[:@].*$/s, "");

/**
 * What a program runs in turn; none also where a script is a file, or comes from somewhere, that
 * is only known when it runs.
 *
 * @param fileOf what a file holds
 */
export function unwrap(words: readonly string[], input: string, fileOf: (name: string) => string): Inner {
  const inner = innerOf(words, input, fileOf);
  return "text" in inner && inner.text === OPEN ? NONE : inner;
}

function innerOf(words: readonly string[], input: string, fileOf: (name: string) => string): Inner {
  const program = programOf(words[0] ?? "");
  const args = words.slice(1);
  if (SHELL.test(program)) return shellScript(args, input, fileOf);
  if (INTERPRETER.test(program)) return code(args, input, fileOf);
  if (program === "eval") return { kind: "script", text: args.join(" "), input };
  if (program === "." || program === "source") return { kind: "script", text: fileOf(args[0] ?? ""), input };
  if (program === "ssh" || program === "autossh") return remoteScript(args, input);
  if (program === "at" || program === "batch") return { kind: "script", text: input, input: "" };
  if (program === "su" || program === "runuser") {
    const at = args.findIndex((arg) => /^(?:-\w*c|--command)$/.test(arg));
    return at < 0 ? NONE : { kind: "script", text: args[at + 1] ?? "", input };
  }
  const contained = IN_CONTAINER.test(program);
  if (contained ? !args.some((arg) => RUNS_IN_CONTAINER.test(arg)) : !RUNS_ANOTHER.test(program)) return NONE;
  // `command -v x` only asks where x is.
  if (program === "command" && /^-[vV]$/.test(args[0] ?? "")) return NONE;
  const at = args.findIndex((arg) => isProgram(arg));
  if (at < 0) return contained ? NONE : scriptFileOf(args);
  const inner = programAndArgs(args, at);
  return { kind: "words", words: program === "xargs" ? [...inner, ...input.split(/\s+/)] : inner };
}

/** The image of Stalwart's command line has it as its entrypoint. */
const CLI_IMAGE = /(?:stalwart-cli|stalwartlabs\/cli)(?:[:@].*)?$/;
const isProgram = (arg: string): boolean => KNOWN.test(programOf(arg)) || CLI_IMAGE.test(arg);

function programAndArgs(args: readonly string[], at: number): readonly string[] {
  const [word = "", ...rest] = args.slice(at);
  return [CLI_IMAGE.test(word) ? "stalwart-cli" : programOf(word), ...rest];
}

/** `sudo ./script.sh`: a program that is a file. */
function scriptFileOf(args: readonly string[]): Inner {
  const at = args.findIndex((arg) => /[/\0]/.test(arg) && !arg.startsWith("-"));
  return at < 0 ? NONE : { kind: "words", words: args.slice(at) };
}

function shellScript(args: readonly string[], input: string, fileOf: (name: string) => string): Inner {
  const at = args.findIndex((arg) => /^-\w*c$/.test(arg));
  if (at >= 0) return { kind: "script", text: args[at + 1] ?? "", input };
  const file = args.find((arg) => !/^[-+]/.test(arg));
  const fromInput = file === undefined || args.some((arg) => /^-\w*s$/.test(arg));
  return fromInput
    ? { kind: "script", text: input, input: "" }
    : { kind: "script", text: fileOf(file), input };
}

function remoteScript(args: readonly string[], input: string): Inner {
  let at = 0;
  while (args[at]?.startsWith("-")) at += SSH_VALUE.test(args[at] as string) ? 2 : 1;
  const text = args.slice(at + 1).join(" ");
  return text === "" ? { kind: "script", text: input, input: "" } : { kind: "script", text, input };
}

/** Code of another language, on the command line or on its input; a file is none that is known. */
function code(args: readonly string[], input: string, fileOf: (name: string) => string): Inner {
  const at = args.findIndex((arg) => /^(?:-\w*[cepr]|--eval|--print|eval)$/.test(arg));
  if (at >= 0) return { kind: "code", text: args[at + 1] ?? "", input };
  const file = args.find((arg) => !arg.startsWith("-"));
  return file === undefined
    ? { kind: "code", text: input, input: "" }
    : { kind: "code", text: fileOf(file), input };
}
