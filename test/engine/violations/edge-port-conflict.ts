import type { Violation } from "./violation.ts";

// Lesson 15: the layer4 app and a site on :443, in a Caddyfile.
const caddyfile = `{
	layer4 {
		:443 {
			@mail tls sni mail.example.org
			route @mail {
				proxy {
					proxy_protocol v2
					upstream stalwart:443
				}
			}
		}
	}
}
www.example.org {
	respond ok
}
`;

export default {
  program: `container("edge", { uploads: [{ file: "/etc/caddy/Caddyfile", content: ${JSON.stringify(caddyfile)} }] });`,
  expected: [
    "uploads[0].content (/etc/caddy/Caddyfile) line 3 (:443) listens on :443, where the http server line 14 (www.example.org) listens too",
    /why: .*SO_REUSEPORT/,
    /instead: .*listener_wrappers/,
  ],
} satisfies Violation;
