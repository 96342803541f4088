import { splitAddress } from "../../lib/email-address.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** What is wrong between domains and accounts that are well-formed each. */
export function mailboxProblems({
  domains,
  accounts,
  groups,
  lists,
}: Pick<Config, "domains" | "accounts" | "groups" | "lists">): Problem[] {
  const known = domains.map(({ name }) => name.toLowerCase());
  const problems: Problem[] = [];
  known.forEach((name, i) => {
    if (known.indexOf(name) !== i)
      problems.push({
        path: keyPath(["domains", i, "name"]),
        message: `is domains[${known.indexOf(name)}] already; accepts each domain once`,
      });
  });
  const taken = new Map<string, string>();
  const take = (each: string, path: string) => {
    const first = taken.get(each);
    if (first !== undefined)
      problems.push({ path, message: `is ${first} already; accepts each address once` });
    else if (!known.includes(splitAddress(each)[1]))
      problems.push({
        path,
        message: `is in none of domains; accepts an address in ${known.join(", ")}`,
        example: `alice@${known[0]}`,
      });
    taken.set(each, path);
  };
  for (const [key, mailboxes] of Object.entries({ accounts, groups }))
    mailboxes.forEach(({ address: own, aliases }, i) => {
      take(own, keyPath([key, i, "address"]));
      aliases.forEach((alias, j) => take(alias, keyPath([key, i, "aliases", j])));
    });
  const mailboxes = new Set(taken.keys());
  groups.forEach(({ members }, i) =>
    members.forEach((member, j) => {
      if (!accounts.some(({ address: own }) => own === member))
        problems.push({
          path: keyPath(["groups", i, "members", j]),
          message: "is no account's own address; accepts the address of one of accounts",
        });
    }),
  );
  lists.forEach(({ address: own }, i) => take(own, keyPath(["lists", i, "address"])));
  lists.forEach(({ recipients }, i) =>
    recipients.forEach((recipient, j) => {
      if (lists.some(({ address: own }) => own === recipient))
        problems.push({
          path: keyPath(["lists", i, "recipients", j]),
          message: "is a list; accepts the addresses of its recipients",
        });
    }),
  );
  domains.forEach(({ catchAll }, i) => {
    if (catchAll !== undefined && !mailboxes.has(catchAll))
      problems.push({
        path: keyPath(["domains", i, "catchAll"]),
        message: "is no address of accounts or groups; accepts one that is",
      });
  });
  return problems;
}
