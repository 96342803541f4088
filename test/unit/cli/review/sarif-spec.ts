/** A run of a SARIF log, as far as the tests read it. */
export interface Run {
  automationDetails: { id: string };
  tool: { driver: { name: string; rules: { id: string; [key: string]: unknown }[] } };
  invocations: { executionSuccessful: boolean }[];
  results: {
    ruleId: string;
    ruleIndex: number;
    level: string;
    message: { text: string };
    locations: {
      physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
      logicalLocations?: { name: string; fullyQualifiedName: string; kind: string }[];
    }[];
    partialFingerprints: Record<string, string>;
    suppressions?: { kind: string; justification: string }[];
  }[];
}

export const runsOf = (log: object): Run[] => (log as { runs: Run[] }).runs;
export const runOf = (log: object): Run => runsOf(log)[0] as Run;

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const LEVELS = ["none", "note", "warning", "error"];

/**
 * What is wrong with a SARIF log: what the standard requires (OASIS SARIF 2.1.0, §3.13 sarifLog,
 * §3.14 run, §3.17 runAutomationDetails,
 * §3.18 tool, §3.20 invocation, §3.27 result, §3.28 location, §3.35 suppression, §3.49
 * reportingDescriptor), and what GitHub asks for besides: a place in a file, a rule for each
 * result, a rank from 0 to 10, at most 5,000 results that are shown and 10 MB.
 */
export function wrongIn(log: object): string[] {
  const wrong: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || wrong.push(what));
  const { version, $schema, runs } = log as { version?: unknown; $schema?: unknown; runs?: unknown };
  must(version === "2.1.0", "version is not 2.1.0");
  must(typeof $schema === "string" && URL.canParse($schema), "$schema is no URI");
  must(Array.isArray(runs) && runs.length >= 1 && runs.length <= 20, "there are no runs, or more than 20");
  const ids = runsOf(log).map(({ automationDetails }) => automationDetails?.id);
  must(new Set(ids).size === ids.length && ids.every(isText), "two runs cannot be told apart");
  must(Buffer.byteLength(JSON.stringify(log)) < 10 * 1024 * 1024, "the log is larger than 10 MB");
  return [...wrong, ...runsOf(log).flatMap(wrongInRun)];
}

function wrongInRun({ tool, results, invocations }: Run): string[] {
  const wrong: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || wrong.push(what));
  must(isText(tool?.driver?.name), "the tool has no name");
  const { rules } = tool.driver;
  must(new Set(rules.map(({ id }) => id)).size === rules.length, "two rules have one id");
  for (const rule of rules) wrong.push(...wrongInRule(rule));
  for (const { executionSuccessful } of invocations)
    must(typeof executionSuccessful === "boolean", "executionSuccessful is no boolean");
  must(Array.isArray(results) && results.length <= 5000, "results is no list of at most 5,000");
  for (const [at, result] of results.entries()) {
    const here = (what: string) => `results[${at}] ${what}`;
    must(isText(result.message?.text), here("has no message"));
    must(LEVELS.includes(result.level), here("has a level that is none"));
    must(rules[result.ruleIndex]?.id === result.ruleId, here("has an index that is not its rule's"));
    must(result.locations.length > 0, here("has no location"));
    for (const { physicalLocation, logicalLocations = [] } of result.locations) {
      const { uri } = physicalLocation.artifactLocation;
      must(
        isText(uri) && !/^[/\\]|^\w+:|\.\./.test(uri),
        here("has a path that is not one of the repository"),
      );
      const { startLine } = physicalLocation.region;
      must(Number.isInteger(startLine) && startLine >= 1, here("begins at no line"));
      for (const place of logicalLocations)
        must(isText(place.fullyQualifiedName), here("has a nameless resource"));
    }
    const prints = Object.values(result.partialFingerprints);
    must(prints.length > 0 && prints.every(isText), here("has no fingerprint"));
    for (const { kind } of result.suppressions ?? [])
      must(["inSource", "external"].includes(kind), here("has a suppression of no kind"));
  }
  return wrong;
}

function wrongInRule(rule: Record<string, unknown>): string[] {
  const text = (key: string) => (rule[key] as { text?: unknown } | undefined)?.text;
  const rank = (rule["properties"] as Record<string, unknown> | undefined)?.["security-severity"];
  const level = (rule["defaultConfiguration"] as { level?: string } | undefined)?.level ?? "warning";
  return [
    ...(typeof rule["id"] === "string" ? [] : ["a rule has no id"]),
    ...["shortDescription", "fullDescription", "help"]
      .filter((key) => typeof text(key) !== "string" || text(key) === "")
      .map((key) => `rule ${String(rule["id"])} has no ${key}`),
    ...(LEVELS.includes(level) ? [] : [`rule ${String(rule["id"])} has a level that is none`]),
    ...(rank === undefined || (Number(rank) >= 0 && Number(rank) <= 10)
      ? []
      : ["a rank is not from 0 to 10"]),
    ...(rule["helpUri"] === undefined || URL.canParse(String(rule["helpUri"]))
      ? []
      : ["a helpUri is no URI"]),
  ];
}
