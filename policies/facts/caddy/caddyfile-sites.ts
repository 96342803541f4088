import type { Json } from "../../../lib/json-values.ts";
import {
  addressesIn,
  addressOf,
  bindsIn,
  listenAt,
  type Address,
  type Globals,
} from "./caddyfile-addresses.ts";
import { named, placeOf, type Block } from "./caddyfile-blocks.ts";
import { routesOf, type Note } from "./caddyfile-layer4.ts";
import { issuerOf, tlsOf, type SiteTls } from "./caddyfile-tls.ts";
import { covers, listenOf } from "./model.ts";

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

const namesOf = (addresses: readonly Address[]): string[] =>
  addresses.map(({ host }) => host).filter((host) => host !== "");

/** A site's block with its addresses and its `tls` line. */
interface ReadSite {
  readonly block: Block;
  readonly tlsLine: Block | undefined;
  readonly tls: SiteTls;
  readonly addresses: readonly Address[];
}

/** Builds Caddy's JSON of a Caddyfile's sites and layer4 blocks, as far as the policies read it. */
export class Adapter {
  readonly places = new Map<unknown, string>();
  readonly servers: Json[] = [];
  readonly policies: Json[] = [];
  /** Names that are ordered one by one. */
  readonly forced: string[] = [];
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

  /** Adds the sites of a file, of which one may have the certificate of another. */
  sites(blocks: readonly Block[]): void {
    const read = blocks.map((block) => {
      const tlsLine = named(block.body ?? [], "tls")[0];
      const addresses = addressesIn(block.words).flatMap((word) => addressOf(word, this.globals) ?? []);
      return { block, tlsLine, tls: tlsOf(tlsLine), addresses };
    });
    const inFiles = read.flatMap(({ tls, addresses }) =>
      tls.fromFiles ? addresses.map(({ host }) => host) : [],
    );
    for (const site of read)
      this.site(site, this.globals.autoHttps.has("ignore_loaded_certs") ? [] : inFiles);
  }

  private site({ block, tlsLine, tls, addresses }: ReadSite, inFiles: readonly string[]): void {
    const body = block.body ?? [];
    const handle = usesProxy(body) ? [{ handler: "reverse_proxy" }] : [];
    const bound = bindsIn(body, "bind");
    const { autoHttps, binds, http } = this.globals;
    for (const [port, group = []] of Map.groupBy(addresses, (address) => address.port)) {
      const names = namesOf(group);
      // `tls` turns it on without a name too; automatic HTTPS does not decide it.
      const isSecure = group.some(({ secure, plain }) => secure || (!plain && tlsLine !== undefined));
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
            ...(isSecure && { tls_connection_policies: [{}] }),
            automatic_https: {
              disable: autoHttps.has("off"),
              disable_redirects: autoHttps.has("disable_redirects"),
              disable_certificates: autoHttps.has("disable_certs"),
              skip: port === http ? [] : namesOf(group.filter(({ plain }) => plain)),
              skip_certificates: names.filter((name) => inFiles.some((own) => covers(own, name))),
            },
          },
          block,
        ),
      );
    }
    const subjects = [...new Set(namesOf(addresses.filter(({ plain }) => !plain)))];
    if (tls.forced) this.forced.push(...subjects);
    if (tlsLine === undefined || subjects.length === 0 || !(tls.issuers.length > 0 || tls.fromProgram))
      return;
    const policy = {
      subjects,
      ...(tls.issuers.length > 0 && { issuers: tls.issuers }),
      ...(tls.fromProgram && { get_certificate: [{ via: "program" }] }),
    };
    this.policies.push(this.note(policy, tlsLine));
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
    const isLocal = named(this.options, "local_certs").length > 0;
    const issuers = isLocal ? [{ module: "internal" }] : named(this.options, "cert_issuer").map(issuerOf);
    const fallback = issuers.length === 0 ? [] : [{ issuers }];
    const ca = named(this.options, "acme_ca")[0]?.words[1];
    const storage = named(this.options, "storage")[0]?.words[1];
    return {
      ...(storage !== undefined && { storage: { module: storage } }),
      apps: {
        http: {
          http_port: this.globals.http,
          https_port: this.globals.https,
          servers: { ...this.servers },
        },
        tls: {
          ...(ca !== undefined && { ca }),
          ...(this.forced.length > 0 && { certificates: { automate: this.forced } }),
          automation: { policies: [...this.policies, ...fallback] },
        },
        layer4: { servers: { ...this.layer4() } },
      },
    };
  }
}
