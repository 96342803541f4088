import type { Violation } from "./violation.ts";

// Lesson 10: one server relays but for what has failed before, another says nothing and so delivers
// by itself.
export default {
  program: `
    settings("second-try", {
      "queue.route.smarthost.type": "relay",
      "queue.route.smarthost.address": "mailbox.tail1234.ts.net",
      "queue.strategy.route.0000.if": "retry_num > 3",
      "queue.strategy.route.0000.then": "'mx'",
      "queue.strategy.route.0001.else": "'smarthost'",
    });
    component("MailSettings", "by-default", { settings: { relays: [] } });`,
  expected: [
    'settings["queue.strategy.route.0000.then"] lets recipients that are not local reach a route of type mx',
    "settings.outbound.route lets recipients that are not local reach a route of type mx",
    /why: the host's provider drops outbound SMTP on every port it knows/,
    /instead: a relay's route for what is not local/,
  ],
  policyConfig: { "no-direct-smtp-egress": { egress: "blocked" } },
} satisfies Violation;
