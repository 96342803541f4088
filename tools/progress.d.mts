/** Shows one stage until it is ended. `title` is such as "3/6 pulumi 3.259.0". */
export function stage(
  title: string,
  out?: NodeJS.WriteStream,
): { doing(text: string): void; note(text: string): void; end(text?: string): void };

/** `milliseconds` in words, such as "1 min 23 s". */
export function duration(milliseconds: number): string;
