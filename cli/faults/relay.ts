/** What befalls the smarthost. */
import { startSmarthost, stopSmarthost } from "../../lab/smarthost.ts";
import type { Fault } from "./fault.ts";

export const RELAY: readonly Fault[] = [
  {
    name: "relay-down",
    what: "the smarthost is down for 10 s",
    inject: ({ layout }) => stopSmarthost(layout),
    heal: async ({ layout }) => void (await startSmarthost(layout)),
    scheduled: true,
    patience: 600,
  },
];
