/**
 * A connection to a port inside a container, carried by bash there (decision 16): the
 * images have neither curl nor nc, every one of them has bash and coreutils.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";

import { UserError } from "../../lib/errors.ts";

/** Thrown when nothing answers, as opposed to an answer that refuses. */
export class UnreachableError extends Error {}

/**
 * Carries bytes both ways; arguments: host, port, and the file with the server's login. Its first
 * line out is that login, once the connection stands: so a secret is in no argument list.
 *
 * Whichever side ends first ends all of it: a provider that was killed closes its side, too. What
 * no end is seen of, such as an ssh line that was cut without a word, is over after ten minutes.
 * The two say so through a pipe of their own, since `wait -n` forgets who has ended before it. Each
 * is a job (`set -m`), so that what it runs ends with it; what bash says of jobs, nobody may read.
 */
export const PUMP = `exec 3<>"/dev/tcp/$1/$2" 4<&0 || exit 7
login=$(<"$3") || exit 8
set -m
exec 5<> <(:) 2>/dev/null
printf 'login %s\n' "$login"
{ cat <&4 >&3; echo $? >&5; } &
{ cat <&3; echo 0 >&5; } &
exec 3>&- 4<&-
read -r -t 600 -u 5 failed
# To a server that has closed nothing can be sent; what it has said before is still to come.
[[ $failed == 0 ]] || read -r -t 1 -u 5
kill %1 %2
exit 0`;

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Where a pipe leads, as seen from inside the container. */
export interface Destination {
  /** Address or name; no brackets. @example "127.0.0.1" */
  host: string;
  port: number;
}

/**
 * The command that carries one connection.
 *
 * @param loginFile file in there that holds `user:password`
 */
export function pumpTo({ host, port }: Destination, loginFile: string): Command {
  // Where its input is a socket, bash would take itself for a login by rsh, and read ~/.bashrc.
  return ["bash", "--norc", "-c", PUMP, "pipe", host, String(port), loginFile];
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** The two ends of a pump as one stream, with what http, tls and nodemailer ask of a socket. */
export class Pipe extends Duplex {
  /** What the server is logged in with, `user:password`, read where it runs. */
  readonly login: string;
  /** When it was opened, in milliseconds since the epoch. */
  readonly since = Date.now();
  readonly #child: Child;
  readonly #words: () => string;

  constructor(child: Child, login: string, words: () => string) {
    super({ allowHalfOpen: false });
    this.login = login;
    this.#child = child;
    this.#words = words;
    child.stdout.on("data", (chunk) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stdout.on("end", () => this.push(null));
    child.on("close", () => this.destroy());
  }

  /** Why it ended, as far as the command that carried it has said. */
  get words(): string {
    return this.#words();
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    endOf(this.#child);
    done(error);
  }

  /** Deadlines belong to requests here. */
  setTimeout(): this {
    return this;
  }

  /** So does whatever keeps the line there alive. */
  setKeepAlive(): this {
    return this;
  }

  /** While it is not in use it keeps no process alive. */
  unref(): this {
    return this.#eachHandle("unref");
  }

  ref(): this {
    return this.#eachHandle("ref");
  }

  #eachHandle(method: "ref" | "unref"): this {
    const { stdin, stdout, stderr } = this.#child;
    this.#child[method]();
    // One that has ended, as the far side's standard error, would wait for its connection.
    for (const socket of [stdin, stdout, stderr] as Socket[]) if (!socket.destroyed) socket[method]();
    return this;
  }
}

/** How the first line begins, once the connection stands. */
const LOGIN = Buffer.from("login ");

/** Patience with a command whose input has ended, before it is killed, in milliseconds. */
const GRACE = 2_000;

/** Closes the command's input, which ends the far side, too. */
function endOf(child: Child): void {
  child.stdin.destroy();
  child.stdout.destroy();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE).unref();
  child.once("exit", () => clearTimeout(timer));
}

/**
 * Opens a pipe.
 *
 * @param command what runs {@link pumpTo}, here or in a container
 * @param signal ends a command that has not connected yet
 * @throws UnreachableError in the words of what could not be reached: daemon, container or port
 * @throws UserError when there is no bash where it is to run
 */
export function openPipe(
  [program, ...args]: Command,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Pipe> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const where = [program, ...args.slice(0, args.indexOf("bash"))].join(" ");
    let stderr = "";
    let head = Buffer.alloc(0);
    const isLogin = () => head.subarray(0, LOGIN.length).equals(LOGIN);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => undefined); // its end is what counts, and that is seen below
    const fail = (error: Error) => {
      endOf(child);
      reject(error);
    };
    const late = () => fail(new UnreachableError("no connection in time"));
    const ended = (status: number | null) =>
      fail(refusal(where, status, isLogin() ? stderr : head.toString() + stderr));
    signal.addEventListener("abort", late, { once: true });
    child.on("error", (error) => fail(new UnreachableError(`${program}: ${error.message}`)));
    child.on("close", ended);
    child.stdout.on("data", function onHead(chunk: Buffer) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\n");
      // A runtime that cannot start bash says so here (Docker 20.10), and some on standard error.
      if (!isLogin() || end === -1) return;
      child.stdout.off("data", onHead).pause();
      signal.removeEventListener("abort", late);
      child.off("close", ended);
      const rest = head.subarray(end + 1);
      if (rest.length > 0) child.stdout.unshift(rest);
      const words = () => plainly(stderr);
      resolve(new Pipe(child, head.subarray(LOGIN.length, end).toString(), words));
    });
  });
}

/** bash names its own file for a refused connection: what stands there is host, port and reason. */
const plainly = (stderr: string): string =>
  /\/dev\/tcp\/(\S+?)\/(\d+: .*)/.exec(stderr)?.slice(1).join(":") ?? stderr.trim();

function refusal(where: string, status: number | null, words: string): Error {
  if (/"bash": executable file not found/.test(words))
    return new UserError(`${where}: there is no bash, through which the API is reached: ${words.trim()}`, {
      hint: "Take an image with bash and coreutils: the official one without -alpine in its tag has both.",
    });
  return new UnreachableError(plainly(words) || `the pipe ended with ${status ?? "a signal"}`);
}
