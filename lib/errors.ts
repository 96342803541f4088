/**
 * A mistake that the user can mend: printed as plain text without a stack.
 *
 * @example
 * throw new UserError("tailwart:mailDomain is missing", { path: "tailwart:mailDomain", hint:
 *   "write: tailwart:mailDomain: example.org" })
 */
export class UserError extends Error {
  /** Where the mistake stands, such as a config key's path. */
  readonly path: string | undefined;
  /** What to write, or which command to run, instead; it ends the message too. */
  readonly hint: string | undefined;
  /**
   * How Pulumi knows an error that is printed without a stack (RunError); lib/ itself imports no
   * Pulumi.
   */
  readonly __pulumiRunError = true;

  constructor(message: string, options: { path?: string; hint?: string; cause?: unknown } = {}) {
    const text = options.hint ? `${message}\n  ${options.hint}` : message;
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.path = options.path;
    this.hint = options.hint;
  }
}

/** What any thrown value says, without its stack. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The text that a person sees for any thrown value: a user's mistake in words, anything else with
 * its stack.
 */
export function describeError(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
