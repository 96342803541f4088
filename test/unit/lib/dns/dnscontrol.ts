/**
 * A fake of dnscontrol: the functions of dnsconfig.js that tailwart's snippet calls, as its
 * reference has them, each as strict: https://docs.dnscontrol.org/language-reference
 */
import { runInNewContext } from "node:vm";

type Modifier = (zone: Zone) => void;
interface Zone {
  name: string;
  /** Below which name of the zone `D_EXTEND` adds, with a dot at its end. */
  below: string;
  records: string[];
}

/**
 * Runs a dnsconfig.js.
 *
 * @param zones those that D() has made before
 * @returns each record as `name type data`
 * @throws what dnscontrol would refuse
 */
export function runDnscontrol(script: string, zones: readonly string[]): string[] {
  const made: Zone[] = zones.map((name) => ({ name, below: "", records: [] }));

  /** "Matching is done using a longest match algorithm." */
  function extend(name: string, ...modifiers: (Modifier | object)[]): void {
    const [zone] = made
      .filter((each) => name === each.name || name.endsWith(`.${each.name}`))
      .toSorted((a, b) => b.name.length - a.name.length);
    if (!zone) throw new Error(`${name} was not declared yet: use D() before`);
    zone.below = name === zone.name ? "" : name.slice(0, -zone.name.length);
    // What is no function goes into the domain's metadata; END is {}.
    for (const modifier of modifiers) if (typeof modifier === "function") (modifier as Modifier)(zone);
  }

  /** Labels are relative, `@` is the apex; of the arguments each has its type. */
  const builder =
    (type: string, kinds: string[], data: (...values: never[]) => string) =>
    (label: string, ...values: unknown[]): Modifier =>
    (zone) => {
      const found = values.map((value) => (Array.isArray(value) ? "strings" : typeof value));
      const wanted = kinds.map((kind, i) => kind.split("|").includes(found[i] ?? "") || kind);
      if (values.length !== kinds.length || wanted.some((kind) => kind !== true))
        throw new Error(`${type} takes ${kinds.join(", ")}, not ${found.join(", ")}`);
      if (label.endsWith(".")) throw new Error(`label ${label} ends with a dot`);
      const name = `${label === "@" ? "" : `${label}.`}${zone.below}${zone.name}`;
      zone.records.push(`${name} ${type} ${data(...(values as never[]))}`);
    };
  const target = (name: string): string => {
    // "If it contains any dots, it should be a fully qualified domain name, ending with a `.`."
    if (!name.endsWith(".")) throw new Error(`target ${name} does not end with a dot`);
    return name;
  };
  const quoted = (text: string) => `"${text}"`;

  runInNewContext(script, {
    END: {},
    D_EXTEND: extend,
    A: builder("A", ["string"], (address: string) => address),
    MX: builder(
      "MX",
      ["number", "string"],
      (preference: number, name: string) => `${preference} ${target(name)}`,
    ),
    SRV: builder(
      "SRV",
      ["number", "number", "number", "string"],
      (priority: number, weight: number, port: number, name: string) =>
        `${priority} ${weight} ${port} ${target(name)}`,
    ),
    TXT: builder("TXT", ["string|strings"], (text: string | string[]) => [text].flat().map(quoted).join(" ")),
    CAA: builder("CAA", ["string", "string"], (tag: string, value: string) => `0 ${tag} ${quoted(value)}`),
  });
  return made.flatMap(({ records }) => records);
}
