/** What befalls the smarthost. */
import { MUTE, refusing, startImpostor } from "../../lab/impostor.ts";
import { SMARTHOST, startSmarthost, stopSmarthost } from "../../lab/smarthost.ts";
import type { Fault } from "./fault.ts";
import type { World } from "./world.ts";

/** Stalwart's schedule tries again after two minutes, and then after five. */
const PATIENCE = 600;

const start = async ({ layout }: World) => void (await startSmarthost(layout));

/** For 10 s another program is in the smarthost's place. */
function impostor(answer: string): Pick<Fault, "inject" | "heal" | "scheduled" | "patience"> {
  let end: (() => Promise<void>) | undefined;
  return {
    async inject({ layout }) {
      await stopSmarthost(layout);
      end = await startImpostor(layout.machines.mail, SMARTHOST.port, answer);
    },
    async heal(world) {
      await end?.();
      await start(world);
    },
    scheduled: true,
    patience: PATIENCE,
  };
}

export const RELAY: readonly Fault[] = [
  {
    name: "relay-down",
    what: "the smarthost is down for 10 s",
    inject: ({ layout }) => stopSmarthost(layout),
    heal: start,
    scheduled: true,
    patience: PATIENCE,
  },
  {
    name: "relay-hanging",
    what: "what listens at the smarthost takes connections, and says nothing for 10 s",
    ...impostor(MUTE),
  },
  {
    name: "relay-4xx",
    what: "the smarthost puts every recipient off for 10 s (451)",
    ...impostor(refusing("451 4.3.0 try again later")),
  },
  {
    name: "relay-5xx",
    what: "the smarthost refuses every recipient for 10 s (550)",
    ...impostor(refusing("550 5.7.1 not from you")),
    bounces: "the relay refuses for good, and the sender must hear of that",
  },
];
