/** Runs a program to its end, low in priority, with all output in a log. */
export function run(command: string, args: string[], options: { log: string }): Promise<void>;
