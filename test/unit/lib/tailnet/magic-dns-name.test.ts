import { expect, test } from "vitest";

import { magicDnsName, passthroughNames } from "../../../../lib/tailnet/magic-dns-name.ts";

test("the mail host and its three technical names below the mail domain are passed through", () => {
  expect(passthroughNames("mx1.example.net", [{ name: "example.org" }])).toEqual([
    "mx1.example.net",
    "mta-sts.example.org",
    "autoconfig.example.org",
    "autodiscover.example.org",
    "ua-auto-config.example.org",
  ]);
});

test("a machine's bare name gets the tailnet's domain, a full name stays as it is", () => {
  expect(magicDnsName("stalwart", "tail7b1641.ts.net")).toBe("stalwart.tail7b1641.ts.net");
  expect(magicDnsName("smtp.example.net", "tail7b1641.ts.net")).toBe("smtp.example.net");
});
