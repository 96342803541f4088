import type { Violation } from "./violation.ts";

// Lesson 14: one letter is missing in the name of the relay's route.
export default {
  program: `
    settings("mail-settings", {
      "queue.route.smarthost.type": "relay",
      "queue.route.smarthost.address": "mailbox.tail1234.ts.net",
      "queue.strategy.route.0000.if": "is_local_domain('*', rcpt_domain)",
      "queue.strategy.route.0000.then": "'local'",
      "queue.strategy.route.0001.else": "'smarthos'",
    });`,
  expected: [
    'settings["queue.strategy.route.0001.else"] names a route that is not declared',
    /why: for a route that it does not find Stalwart logs `Gateway not found` and delivers straight to the MX/,
    /instead: queue\.route\.<name>\.type, and the name in quotes; declared are 'smarthost'/,
  ],
} satisfies Violation;
