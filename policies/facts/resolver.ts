import { Resolver } from "node:dns/promises";

/** Which resolver is asked, and how long. */
export interface ResolverSettings {
  /** `address` or `address:port`, IPv6 in brackets. */
  readonly resolver: string;
  /** Deadline of one question in milliseconds. */
  readonly timeoutMs: number;
}

/** `none`: the resolver answered that there is none; `unasked`: no answer to rely on. */
export type AaaaAnswer =
  | { readonly kind: "has"; readonly address: string }
  | { readonly kind: "none" }
  | { readonly kind: "unasked"; readonly because: string };

const asked = new Map<string, Promise<AaaaAnswer>>();

async function ask(name: string, settings: ResolverSettings): Promise<AaaaAnswer> {
  const resolver = new Resolver({ timeout: settings.timeoutMs, tries: 1 });
  // c-ares adapts `timeout` to the servers and may wait longer, so the deadline is kept here too.
  const deadline = setTimeout(() => resolver.cancel(), settings.timeoutMs);
  try {
    resolver.setServers([settings.resolver]);
    const [address] = await resolver.resolve6(name);
    return address === undefined ? { kind: "none" } : { kind: "has", address };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "an unknown error";
    if (code === "ENODATA" || code === "ENOTFOUND") return { kind: "none" };
    const because =
      code === "ECANCELLED" || code === "ETIMEOUT"
        ? `no answer in ${settings.timeoutMs} ms`
        : `answered ${code}`;
    return { kind: "unasked", because: `resolver ${settings.resolver}: ${because}` };
  } finally {
    clearTimeout(deadline);
  }
}

/** Asks the configured resolver for a name's AAAA records; each question once per process. */
export function askAaaa(name: string, settings: ResolverSettings): Promise<AaaaAnswer> {
  const key = `${settings.resolver} ${settings.timeoutMs} ${name.toLowerCase()}`;
  const answer = asked.get(key) ?? ask(name, settings);
  asked.set(key, answer);
  return answer;
}
