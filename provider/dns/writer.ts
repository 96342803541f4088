import type { RecordSets, SetChange } from "../../lib/dns/record-sets.ts";

/** How records are written at one kind of provider. */
export interface RecordsWriter {
  /** What is written to, for messages. */
  readonly where: string;
  /** Every value that these sets have where they are written. */
  read(keys: readonly string[]): Promise<RecordSets>;
  /**
   * Writes the changes. Of what must be single a reader never sees two, whatever ends the writing.
   *
   * @throws UserError when one is refused; those before it are written
   */
  write(changes: readonly SetChange[]): Promise<void>;
}
