import { UserError, wordsOf } from "../../lib/errors.ts";

/** A deploy that failed and left some of its settings stored. */
export class PartialError extends UserError {
  /** What it is known to have left; none when only the resource's own guess holds. */
  readonly left: Record<string, unknown> | undefined;
  /** What went wrong, without what to do. */
  readonly #said: string;

  /** @param second why what was stored before was not put back */
  constructor(cause: unknown, second?: unknown, left?: Record<string, unknown>) {
    const why =
      second === undefined
        ? ""
        : `\n  and the settings from before could not be put back: ${wordsOf(second)}`;
    // One that is passed on with what is left says what to do once.
    const said = `${cause instanceof PartialError ? cause.#said : wordsOf(cause)}${why}`;
    super(said, {
      cause,
      hint: "Run `pulumi up` again as soon as the cause is mended: until then some of the new settings are stored.",
    });
    this.name = "PartialError";
    this.left = left;
    this.#said = said;
  }
}
