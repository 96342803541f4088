import type { LeftOut } from "../../guards.ts";
import type { SettingKeys } from "./spelling.ts";

/** What somebody would set who counts on the host's IPv6, which no field of the state offers. */
export const keysWithoutGuards = (withoutGuards: LeftOut = {}): SettingKeys =>
  withoutGuards[9] ? { "queue.route.mx.type": "mx", "queue.route.mx.ip-lookup": "ipv6_then_ipv4" } : {};
