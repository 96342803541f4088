// `npm run dns`: the DNS records that a stack's mail needs, for a person, a zone file or a program.
import { wantedRecords } from "../config/written-records.ts";
import { type Format, FORMATS } from "../lib/dns/writers/formats.ts";
import { dkimRecordsOf } from "./parts/dkim-records.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { configFileOf, configIn } from "./parts/config-file.ts";
import { runMain } from "./parts/progress.ts";

const USAGE = `Usage: npm run dns [-- --stack STACK | --name NAME] [--format FORMAT]

Prints the DNS records that the stack's mail needs, what others have to set, and
what is missing and why. Reads the stack's file alone: no network, no login, no
secret; but for the public keys of dkim.selectors, which are in the stack's
state: it asks pulumi stack output for them. Writes nothing.

  --stack STACK    a stack of yours, by its Pulumi.STACK.yaml
  --name NAME      a lab's stack instead (default: lab, or $TAILWART_LAB)
  --format FORMAT  table       for forms at a provider (default)
                   zone        lines of a zone file (BIND, Knot, NSD, PowerDNS)
                   dnscontrol  a piece of dnsconfig.js
                   json        records and notes, for programs
  --json           the same as --format json

Exit codes: 0 printed, also when something is missing; 1 there is no such stack
or its config is refused; 2 wrong usage.`;

const text = { type: "string" } as const;
const { name, values } = labArguments(USAGE, { stack: text, format: text, json: { type: "boolean" } });
const stack = values["stack"] as string | undefined;
const format = values["json"] ? "json" : ((values["format"] as string | undefined) ?? "table");
if (!isFormat(format))
  wrongUsage(`--format takes ${Object.keys(FORMATS).join(", ")}; it is not "${format}"`, USAGE);

await runMain(async () => {
  const config = configIn(configFileOf(stack, name), { secretsLater: true });
  const records = wantedRecords(config, await dkimRecordsOf(config, stack, name));
  process.stdout.write(FORMATS[format](records, `DNS records for the mail of the stack ${stack ?? name}.`));
});

function isFormat(word: string): word is Format {
  return Object.hasOwn(FORMATS, word);
}
