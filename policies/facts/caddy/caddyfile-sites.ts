import type { Json } from "../../../lib/json-values.ts";
import { addressesIn, addressOf, bindsIn, listenAt, type Globals } from "./caddyfile-addresses.ts";
import { named, placeOf, type Block } from "./caddyfile-blocks.ts";
import { routesOf, type Note } from "./caddyfile-layer4.ts";
import { listenOf } from "./model.ts";

/** `host a b`, or `header_regexp [name] Host ^a$`. */
function hostSetOf([kind, ...words]: readonly string[]): Json | undefined {
  if (kind === "host") return { host: words };
  const [field, pattern] = kind === "header_regexp" ? words.slice(-2) : [];
  return field?.toLowerCase() === "host" ? { header_regexp: { Host: { pattern } } } : undefined;
}

/** The host matchers of a block, at any depth, but not negated ones. */
function hostsIn(blocks: readonly Block[], note: Note): Json[] {
  return blocks.flatMap((block) => {
    const words = block.words[0]?.startsWith("@") ? block.words.slice(1) : block.words;
    if (words[0] === "not") return [];
    const set = hostSetOf(words);
    const own = set ? [note({ match: [set], handle: [] }, block)] : [];
    return [...own, ...hostsIn(block.body ?? [], note)];
  });
}

const usesProxy = (blocks: readonly Block[]): boolean =>
  blocks.some(({ words, body }) => words[0] === "reverse_proxy" || usesProxy(body ?? []));

/** What a site's `tls` line makes of its certificates. */
function tlsOf(tls: Block | undefined): { readonly issuers: string[]; readonly own: boolean } {
  const [first, second] = tls?.words.slice(1) ?? [];
  const body = tls?.body ?? [];
  const issuers = named(body, "issuer").map(({ words }) => words[1] ?? "");
  return {
    issuers: first === "internal" ? ["internal"] : issuers,
    // From files, or from a program that hands them out.
    own: (first !== undefined && second !== undefined) || named(body, "get_certificate", "load").length > 0,
  };
}

/** Builds Caddy's JSON of a Caddyfile's sites and layer4 blocks, as far as the policies read it. */
export class Adapter {
  readonly places = new Map<unknown, string>();
  readonly servers: Json[] = [];
  readonly policies: Json[] = [];
  readonly note: Note = (node, block) => {
    const words = block.words.slice(0, 2).join(" ");
    this.places.set(node, block.place ?? `${placeOf(block)}${words && ` (${words})`}`);
    return node;
  };
  readonly globals: Globals;
  readonly options: readonly Block[];

  constructor(options: readonly Block[]) {
    this.options = options;
    this.globals = {
      http: named(options, "http_port")[0]?.words[1] ?? "80",
      https: named(options, "https_port")[0]?.words[1] ?? "443",
      binds: named(options, "default_bind").length > 0 ? bindsIn(options, "default_bind") : [""],
      autoHttps: new Set(named(options, "auto_https").flatMap(({ words }) => words.slice(1))),
    };
  }

  site(block: Block): void {
    const body = block.body ?? [];
    const addresses = addressesIn(block.words).flatMap((word) => addressOf(word, this.globals) ?? []);
    const tlsLine = named(body, "tls")[0];
    const { issuers, own } = tlsOf(tlsLine);
    const hosts = [...new Set(addresses.map(({ host }) => host).filter((host) => host !== ""))];
    const handle = usesProxy(body) ? [{ handler: "reverse_proxy" }] : [];
    const bound = bindsIn(body, "bind");
    const { autoHttps, binds } = this.globals;
    for (const [port, group = []] of Map.groupBy(addresses, (address) => address.port)) {
      const names = group.map(({ host }) => host).filter((host) => host !== "");
      const plain = group.every(({ secure }) => !secure) && port === this.globals.http;
      const tls =
        !plain && (tlsLine !== undefined || (!autoHttps.has("off") && group.some(({ secure }) => secure)));
      const nested = hostsIn(body, this.note);
      this.servers.push(
        this.note(
          {
            listen: (bound.length > 0 ? bound : binds).map((bind) => listenAt(bind, port)),
            routes: [
              this.note(
                {
                  ...(names.length > 0 && { match: [{ host: names }] }),
                  handle: [...handle, { routes: nested }],
                },
                block,
              ),
            ],
            ...(tls && { tls_connection_policies: [{}] }),
            automatic_https: {
              disable: autoHttps.has("off") || plain,
              disable_redirects: autoHttps.has("disable_redirects"),
              disable_certificates: autoHttps.has("disable_certs"),
              skip_certificates: own ? names : [],
            },
          },
          block,
        ),
      );
    }
    if (issuers.length > 0 && hosts.length > 0 && tlsLine) {
      this.policies.push(
        this.note({ subjects: hosts, issuers: issuers.map((module) => ({ module })) }, tlsLine),
      );
    }
  }

  /** `servers [address] { listener_wrappers { … } protocols … }`: acts on the sites' servers. */
  serverOptions(): void {
    for (const { words, body = [] } of named(this.options, "servers")) {
      const address = listenOf(words[1] ?? "");
      const all = this.servers.filter((server) => {
        const own = (server["listen"] as string[]).flatMap((listen) => listenOf(listen) ?? []);
        return (
          words[1] === undefined || (address !== undefined && own.some((one) => one.from === address.from))
        );
      });
      const protocols = named(body, "protocols").flatMap((line) => line.words.slice(1));
      for (const server of all) if (protocols.length > 0) server["protocols"] = protocols;
      const https = all.find((server) =>
        (server["listen"] as string[]).some((one) => one.endsWith(`:${this.globals.https}`)),
      );
      const wrappers = named(body, "listener_wrappers").flatMap((line) => named(line.body ?? [], "layer4"));
      const target = https ?? all[0];
      // On one server alone, or each route would be found as often as there are sites.
      if (target && wrappers.length > 0) {
        target["listener_wrappers"] = wrappers.map((line) =>
          this.note({ wrapper: "layer4", routes: routesOf(line.body ?? [], this.note) }, line),
        );
      }
    }
  }

  layer4(): Json[] {
    return named(this.options, "layer4").flatMap(({ body = [] }) =>
      body.map((server) =>
        this.note({ listen: server.words, routes: routesOf(server.body ?? [], this.note) }, server),
      ),
    );
  }

  config(): Json {
    const issuer =
      named(this.options, "local_certs").length > 0
        ? "internal"
        : named(this.options, "cert_issuer")[0]?.words[1];
    const fallback = issuer === undefined ? [] : [{ issuers: [{ module: issuer }] }];
    const storage = named(this.options, "storage")[0]?.words[1];
    return {
      ...(storage !== undefined && { storage: { module: storage } }),
      apps: {
        http: {
          http_port: this.globals.http,
          https_port: this.globals.https,
          servers: { ...this.servers },
        },
        tls: { automation: { policies: [...this.policies, ...fallback] } },
        layer4: { servers: { ...this.layer4() } },
      },
    };
  }
}
