// What a person can mend: shown as plain text, without a stack.

/**
 * A failure of the toolchain in words: what, why, and what to run next.
 *
 * @example
 * throw new ToolError("pulumi 3.259.0 could not be built", { hint: "run: node tools/cli.mjs ensure
 *   engine" })
 */
export class ToolError extends Error {
  /**
   * @param {string} message what failed and why
   * @param {{ hint?: string, cause?: unknown }} [options] hint = what to run or write next
   */
  constructor(message, options = {}) {
    super(options.hint ? `${message}\n  ${options.hint}` : message, { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
    // Whoever prints the stack of an unknown error prints the text alone for this one.
    this.stack = this.message;
  }
}
