import type { Violation } from "./violation.ts";

// Lesson 5: the edge passes mail.example.org through by SNI, and has a site and a certificate for
// it all the same.
const caddy = {
  apps: {
    http: {
      servers: {
        web: {
          listen: [":443"],
          listener_wrappers: [
            {
              wrapper: "layer4",
              routes: [
                {
                  match: [{ tls: { sni: ["mail.example.org", "mta-sts.example.org"] } }],
                  handle: [
                    { handler: "proxy", proxy_protocol: "v2", upstreams: [{ dial: ["stalwart:443"] }] },
                  ],
                },
              ],
            },
            { wrapper: "tls" },
          ],
          routes: [
            {
              match: [{ host: ["mail.example.org"] }],
              handle: [{ handler: "reverse_proxy", upstreams: [{ dial: "stalwart:8080" }] }],
            },
          ],
        },
      },
    },
    tls: { certificates: { automate: ["mta-sts.example.org"] } },
  },
};

export default {
  program: `container("edge", { uploads: [{ file: "/etc/caddy/caddy.json", content: ${JSON.stringify(JSON.stringify(caddy))} }] });`,
  expected: [
    "apps.http.servers.web.routes[0].match[0].host[0] ends TLS and reverse-proxies mail.example.org, whose TLS is passed through",
    "apps.tls.certificates.automate[0] orders a certificate for mta-sts.example.org",
    /why: .*CAA/,
    /instead: .*layer4 route/,
  ],
} satisfies Violation;
