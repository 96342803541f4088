/**
 * A raw program that one policy refuses. Each file here is named after its policy, and exports one
 * as default.
 */
export interface Violation {
  /** What `preview` of raw-program.ts takes: TypeScript without types, after its preamble. */
  readonly program: string;
  /**
   * What the preview says of it, besides the policy's name: where, what, why and what to write
   * instead.
   */
  readonly expected: readonly (string | RegExp)[];
  /** As `--policy-pack-config` takes it. */
  readonly policyConfig?: object;
}
