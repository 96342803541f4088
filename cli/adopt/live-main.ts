// Reads a stack's exported state from standard input, and prints as JSON what its server has of the
// declared settings now. A program of its own, since it runs as whoever reaches the stack's hosts:
// the lab's operator, or its caller.
import { text } from "node:stream/consumers";

import { runMain } from "../parts/progress.ts";
import { liveSettings } from "./live.ts";

await runMain(async () => console.log(JSON.stringify(await liveSettings(await text(process.stdin)))));
