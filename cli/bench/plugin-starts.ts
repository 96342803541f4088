import { sample } from "./figures.ts";

interface Entry {
  time: string;
  msg: string;
}

/**
 * The engine begins to start a provider's plugin: the last such line before the handshake counts.
 */
const BEGINS = /^ProviderRegistry\.Check\(\S+::pulumi:providers:([a-z-]+)::\S+\) executing/;
/** The plugin has printed its port and answers. */
const ANSWERS = /^Handshake: .*\/pulumi-resource-([a-z-]+)/;

/**
 * How long the engine waited for each of the providers' plugins, from its log at level 7
 * (`--logtostderr -v=7`). One plugin may be started more than once: a provider with settings of its
 * own has its own process.
 *
 * @param logs one a run
 * @returns medians over the runs, in milliseconds, in the order of the first run
 */
export function pluginStarts(logs: readonly string[]): { plugin: string; median: number }[] {
  const runs = logs.map(startsOf);
  const names = [...(runs[0]?.keys() ?? [])];
  return names.map((plugin) => ({ plugin, median: sample(runs.map((run) => run.get(plugin) ?? 0)).median }));
}

function startsOf(log: string): Map<string, number> {
  const begins = new Map<string, number>();
  const took = new Map<string, number>();
  for (const { time, msg } of log.split("\n").flatMap(entry)) {
    const at = Date.parse(time);
    const begun = BEGINS.exec(msg)?.[1];
    if (begun !== undefined) begins.set(begun, at);
    const plugin = ANSWERS.exec(msg)?.[1];
    const since = plugin === undefined ? undefined : begins.get(plugin);
    if (plugin === undefined || since === undefined) continue;
    const nth = [...took.keys()].filter((name) => name === plugin || name.startsWith(`${plugin} (`)).length;
    took.set(nth === 0 ? plugin : `${plugin} (process ${nth + 1})`, at - since);
  }
  return took;
}

/** A line of the log; other lines, and the CLI's own output in front of one, are left out. */
function entry(line: string): Entry[] {
  const from = line.indexOf('{"time":');
  if (from < 0) return [];
  try {
    return [JSON.parse(line.slice(from)) as Entry];
  } catch {
    return [];
  }
}
