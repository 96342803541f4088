import { z } from "zod";

import { relayHost, relayTls } from "../../lib/desired-state/primitives.ts";
import { spfTerm } from "../../lib/dns/spf.ts";
import { MOST_LOOKUPS } from "../../lib/dns/spf-terms.ts";
import { port } from "./primitives.ts";

const EGRESS = "public IP addresses, networks, and include: with a name";

/** Where the smarthost's mail leaves from, as receivers see it. */
const egress = z
  .array(
    z.string({ error: `accepts ${EGRESS}` }).refine((place) => spfTerm(place) !== undefined, {
      error: `accepts ${EGRESS}: what receivers of the internet see, no tailnet's or private address`,
    }),
  )
  .min(1, { error: "accepts a list with at least one place" })
  .refine((places) => places.filter((place) => /^include:/i.test(place)).length <= MOST_LOOKUPS, {
    error: `has more than ${MOST_LOOKUPS} of include:, and receivers look up no more (RFC 7208 §4.6.4); accepts addresses in their place`,
  })
  .optional()
  .meta({ accepts: `a list of ${EGRESS}`, examples: [["192.0.2.25"], ["include:_spf.example.net"]] })
  .describe(
    "Where mail leaves for the internet, for the domains' SPF records (`npm run dns`): the addresses from which the smarthost sends, or include: and the name that its operator gives. Nothing but the smarthost knows them; without them there is no SPF record.",
  );

/** Where mail for other domains goes. */
export const relaySchema = z.strictObject({
  host: relayHost.meta({ accepts: "a host name", examples: ["mailbox.tail7b1641.ts.net"] }),
  port: port(587).describe("Submission port of the smarthost."),
  tls: relayTls.meta({ accepts: '"implicit", "starttls" or "tailnet"', examples: ["tailnet"] }),
  username: z
    .string()
    .min(1)
    .optional()
    .meta({ accepts: "a login name", examples: ["relay@example.org"] })
    .describe("Login at the smarthost. Its password is the secret tailwart:relayPassword."),
  egress,
});
