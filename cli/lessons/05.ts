import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { describeShown, isCas, shown } from "./certificates.ts";
import type { Lesson } from "./lesson.ts";

export const lesson05: Lesson = {
  number: 5,
  title: ":443 is passed through by name",
  preventedBy: "the edge looks at the SNI alone and passes the connection on (`lib/caddy/config.ts`)",
  refusedBy: ["stalwart-tls-not-terminated"],
  touches: [":443", "the certificate"],

  async play(half) {
    const { bench } = half;
    const { mailHost, mailDomain, site } = bench.lab.facts;
    const names = passthroughNames(mailHost, [{ name: mailDomain }]);
    await half.sees(
      {
        from: "outside: TLS to edge:443, by each of the mail names",
        outage: "Caddy's own certificate, which no client trusts",
        held: `Stalwart's certificate for *.${mailDomain}, issued by the CA`,
      },
      async () => {
        // One after the other: the lab's client is a process each time.
        const all = [];
        for (const name of names) all.push(await shown(bench, name));
        const words = all.map(describeShown).join("; ");
        if (all.every(({ issuer, trusted }) => trusted && isCas(issuer))) return { words, is: "held" };
        const ended = all.every(({ issuer, trusted }) => !trusted && /Caddy Local Authority/.test(issuer));
        return { words, is: ended ? "outage" : "neither" };
      },
    );
    await half.does(
      `a site of the edge's own shows Caddy's certificate`,
      `outside: TLS to edge:443, by ${site}`,
      async () => {
        const { issuer, names: own } = await shown(bench, site);
        if (!/Caddy Local Authority/.test(issuer) || !own.includes(site))
          throw new Error(`${site} shows ${issuer} for ${own}`);
      },
    );
  },
};
