// What a person sees of long work, on stderr: which stage of how many, what it does, how long it
// has taken.

/** Where no terminal redraws the line, a line is printed this often (milliseconds). */
const EVERY = 30_000;

/** How long a stage has a terminal's line when several are under way (milliseconds). */
const TURN = 3_000;

/** The stages under way: on a terminal they take turns. @type {Set<symbol>} */
const underWay = new Set();

/**
 * Shows one stage until it is ended.
 *
 * @param {string} title such as "3/6 pulumi 3.259.0"
 * @param {NodeJS.WriteStream} [out]
 */
export function stage(title, out = process.stderr) {
  const began = Date.now();
  let doing = "";
  let printed = Date.now();
  const me = Symbol(title);
  underWay.add(me);
  const line = () => `${title}${doing ? `: ${doing}` : ""} (${duration(Date.now() - began)})`;
  const timer = setInterval(() => {
    if (out.isTTY) {
      const turn = [...underWay][Math.floor(Date.now() / TURN) % underWay.size];
      if (turn === me) out.write(`\r\x1b[2K${line().slice(0, (out.columns ?? 80) - 1)}`);
    } else if (Date.now() - printed >= EVERY) {
      printed = Date.now();
      out.write(`${line()}\n`);
    }
  }, 1000);
  timer.unref();
  return {
    /** Says what the stage does now. @param {string} text */
    doing(text) {
      doing = text;
    },
    /** Says it in a line that stays. @param {string} text */
    note(text) {
      doing = text;
      if (out.isTTY) out.write("\r\x1b[2K");
      out.write(`${title}: ${text}\n`);
    },
    /** Ends the stage. @param {string} [text] what came of it */
    end(text) {
      clearInterval(timer);
      underWay.delete(me);
      if (out.isTTY) out.write("\r\x1b[2K");
      if (text) out.write(`${title}: ${text} (${duration(Date.now() - began)})\n`);
    },
  };
}

/** @param {number} milliseconds @example duration(83_000) // "1 min 23 s" */
export function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
