import { expect, test } from "vitest";

import { edgePorts } from "../../../../lib/caddy/ports.ts";
import { MAIL_SERVICES } from "../../../../lib/mail-services.ts";

const { smtp, https } = MAIL_SERVICES;
const site = { host: "www.example.org" };
const fallback = { to: "127.0.0.1:8443", proxyProtocol: false };

test.each([
  ["the services'", { services: [smtp, https], sites: [] }, [25, 443]],
  ["and those of sites", { services: [smtp], sites: [site] }, [25, 443, 80]],
  ["each once", { services: [https], sites: [site] }, [443, 80]],
  [
    "but for port 80, where another web server has it",
    { services: [smtp], sites: [site], fallback },
    [25, 443],
  ],
  ["and :443 for the other server's sake", { services: [smtp], sites: [], fallback }, [25, 443]],
])("the edge's ports are %s", (_, inputs, ports) => expect(edgePorts(inputs)).toEqual(ports));
