import type { Violation } from "./violation.ts";

/**
 * Trust in the tailnet's range is fine by itself; here a grant lets others than the edge use it.
 */
export default {
  program: `
    new tailscale.TailnetKey("stalwart", { tags: ["tag:stalwart"] });
    acl("acl", { grants: [{ src: ["autogroup:member"], dst: ["tag:stalwart"], ip: ["tcp:25"] }] });
    settings("settings", { "queue.strategy.route": "'local'" }, {
      fileSettings: {
        "server.listener.smtp.bind": "0.0.0.0:25",
        "server.listener.smtp.proxy.trusted-networks.0000": "100.64.0.0/10",
      },
    });`,
  expected: [
    "acl grants[0] lets autogroup:member reach tag:stalwart on tcp 25",
    /why: .*writes the client's address himself.*lesson 3/,
    /instead: tag:reverse-proxy as the only source/,
  ],
} satisfies Violation;
