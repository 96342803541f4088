/** A mutant that behaves as the original does, so that no test can tell the two apart. Reviewed by hand, one by one. */
export interface Equivalent {
  readonly file: string;
  /** The mutated code, as the report prints it. */
  readonly code: string;
  /** One change of it. Default: each. */
  readonly change?: string;
  readonly because: string;
}

export const equivalents: readonly Equivalent[] = [];
