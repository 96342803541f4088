import { isIP } from "node:net";

import { isRecord } from "../../../lib/json-values.ts";
import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readAt, type Path } from "../../framework/values.ts";

/** A setting that counts on IPv6. */
export interface Ipv6Use {
  readonly where: string;
  readonly what: string;
  readonly instead: string;
  readonly urn: string;
}

/** Where the registry counts on IPv6: routes that look up AAAA first, addresses to send from. */
export function registryIpv6({ urn, props }: PolicyResource): { uses: Ipv6Use[]; gaps: NotJudged[] } {
  const uses: Ipv6Use[] = [];
  const gaps: NotJudged[] = [];
  const unknown = (path: Path) => void gaps.push({ ...gapAt(formatPath(path)), urn });
  const objects = read(props, "objects");
  if (!objects.known) unknown(["objects"]);
  const rows = objects.known && isRecord(objects.value) ? objects.value : {};
  for (const key of Object.keys(rows)) {
    const isRoute = key.startsWith("MtaRoute/");
    if (!isRoute && !key.startsWith("MtaConnectionStrategy/")) continue;
    const row = read(rows, key);
    if (!row.known) unknown(["objects", key]);
    else if (isRoute) lookup(["objects", key]);
    else sources(["objects", key, "sourceIps"]);
  }
  return { uses, gaps };

  function lookup(path: Path): void {
    const at = [...path, "ipLookupStrategy"];
    const strategy = readAt(props, at);
    const variant = readAt(props, [...path, "@type"]);
    // A relay has no such property: it always looks up A before AAAA.
    if (variant.known && variant.value !== "Mx") return;
    if (!strategy.known) return unknown(at);
    if (strategy.value !== "v6Only" && strategy.value !== "v6ThenV4") return;
    if (!variant.known) return unknown([...path, "@type"]);
    const what = strategy.value === "v6Only" ? "asks for IPv6 addresses alone" : "prefers IPv6 addresses";
    uses.push({ where: formatPath(at), what, instead: "v4Only, or v4ThenV6", urn });
  }

  /** A list: `{ "0": { sourceIp: … } }`. */
  function sources(path: Path): void {
    const list = readAt(props, path);
    if (!list.known) return unknown(path);
    for (const i of isRecord(list.value) ? Object.keys(list.value) : []) {
      const at = [...path, i, "sourceIp"];
      const address = readAt(props, at);
      if (!address.known) unknown(at);
      else if (isIP(String(address.value).trim()) === 6) {
        const what = "is an IPv6 address to send from";
        uses.push({ where: formatPath(at), what, instead: "IPv4 source addresses, or none", urn });
      }
    }
  }
}
