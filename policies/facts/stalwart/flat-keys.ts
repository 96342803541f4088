import { gapAt } from "../../framework/judgement.ts";
import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, type Path } from "../../framework/values.ts";

/** Settings in the flat keys of Stalwart's 0.15 line, from both of the places that hold them. */
export interface StalwartKeys {
  readonly values: ReadonlyMap<string, string>;
  /** @example where("queue.route.mx.type") === 'settings["queue.route.mx.type"]' */
  readonly where: (key: string) => string;
  /** Keys whose value is unknown at preview, and maps that are unknown as a whole. */
  readonly gaps: readonly { readonly where: string; readonly because: string; readonly key?: string }[];
}

/** Reads a tailwart:mail:Settings: keys that go through the API, and those of the config file. */
export function stalwartKeys({ props }: PolicyResource): StalwartKeys {
  const values = new Map<string, string>();
  const places = new Map<string, Path>();
  const gaps: { where: string; because: string; key?: string }[] = [];
  for (const part of ["fileSettings", "settings"]) {
    const map = read(props, part);
    if (!map.known) gaps.push(gapAt(part));
    else if (typeof map.value === "object" && map.value !== null) {
      for (const key of Object.keys(map.value)) {
        const path = [part, key];
        const value = read(map.value, key);
        places.set(key, path);
        if (!value.known) gaps.push({ ...gapAt(formatPath(path)), key });
        else if (value.value !== undefined && value.value !== null) values.set(key, String(value.value));
      }
    }
  }
  const where = (key: string): string => formatPath(places.get(key) ?? ["settings", key]);
  return { values, where, gaps };
}
