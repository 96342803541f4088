import { LESSONS } from "../../cli/lessons/index.ts";
import { type Card, UNPLAYED } from "../../cli/lessons/unplayed.ts";
import type { Cut, Edit } from "./cut.ts";

/** Every lesson's card. */
export const CARDS: readonly Card[] = [...LESSONS, ...UNPLAYED].toSorted(
  (one, other) => one.number - other.number,
);

const edit = (file: string, find: string, replace = ""): Edit => ({ file, find, replace });
const cut = (lesson: number, what: string, edits: Edit | Edit[], more: Partial<Cut> = {}): Cut => ({
  lesson,
  what,
  edits: [edits].flat(),
  ...more,
});

const ARGS = "config/component-args.ts";
const STATE = "config/desired-state.ts";
const CERTIFICATES = "config/problems/certificates.ts";
const ENTRYPOINT = "lib/stalwart/entrypoint.sh";
const CADDY = "lib/caddy/config.ts";
const SIDECAR = "components/TailnetSidecar.ts";
const PEERS = "verify/checks/peers.ts";
const CONVERGE = "provider/keys/converge.ts";

const COMPONENTS = ["test/unit/components/components.test.ts"];
// On a real server.
const RELOAD_TESTS = ["test/engine/settings.test.ts"];
const ROUTE_TESTS = ["test/engine/settings-route.test.ts"];
const STATE_TESTS = ["test/unit/config/component-args.test.ts"];

/** Both lessons' guard: mail for elsewhere goes by the relay. */
const BY_THE_RELAY = edit(STATE, `? "mx" : ROUTE`, `? "mx" : "mx"`);
const DIALS_RELAY = edit(
  PEERS,
  "const found = await reach(scene, smarthost);",
  `const found = "open" as Awaited<ReturnType<typeof reach>>;`,
);
const UNPROVABLE = edit(CERTIFICATES, "? [] : unprovableNames(config)", "? [] : []");

/** What prevents each lesson's outage, cut by cut. */
export const PREVENTING: readonly Cut[] = [
  cut(
    1,
    "Postgres in the sidecar's healthcheck",
    edit("lib/tailnet/health.ts", " && nc -z -w 3 ${host} ${port}"),
  ),
  cut(1, "Stalwart's gate", edit(ENTRYPOINT, "  gate\n  until_applied || continue\n")),
  cut(
    2,
    "the canary's verdict",
    edit(
      "verify/dns-key.ts",
      "refuseBad(await writeCanary(ask, key, name), keyName, name, at);",
      "await writeCanary(ask, key, name);",
    ),
    { tests: ["test/engine/dns-key.test.ts"] },
  ),
  cut(
    2,
    "the trial of the stack's key",
    edit(
      ARGS,
      "? undefined : dnsKeyOf(settings)",
      "? undefined : (undefined as ReturnType<typeof dnsKeyOf>)",
    ),
  ),
  cut(
    3,
    "the tailnet and the edge on the allow-list",
    edit(STATE, "? [] : [...TAILNET_RANGES, ...wan]", "? [] : ([] as string[])"),
    { tests: STATE_TESTS },
  ),
  // Stalwart takes no connection without the header, which is another outage than the lesson's.
  cut(3, "PROXY v2", edit(CADDY, `proxy_protocol: "v2", upstreams`, "upstreams"), { lab: false }),
  cut(
    4,
    "the challenges that prove a wildcard",
    edit(
      "lib/desired-state/acme.ts",
      `certificate.startsWith("*.") && !PROVES_WILDCARDS.includes(client.challenge)`,
      "false",
    ),
  ),
  cut(4, "the challenges that get to Stalwart", UNPROVABLE),
  cut(5, "TLS that is passed on as it is", [
    edit(CADDY, `?.[5] ? [{ handler: "tls" }] : []`, `?.[5] ? [] : [{ handler: "tls" }]`),
    edit(CADDY, "?.[5] ? inputs.passthrough : []", "?.[5] ? [] : inputs.passthrough"),
  ]),
  cut(
    6,
    "Stalwart's name at the edge",
    edit(ARGS, "withoutGuards[6] : stalwartName", `withoutGuards[6] : "100.64.0.99"`),
  ),
  cut(
    6,
    "the removal of the offline node",
    edit("verify/claim-name.ts", "for (const { nodeId } of others) await deleteDevice(access, nodeId);"),
    { tests: ["test/unit/verify/devices.test.ts"], says: /node name is not unique: stalwart/ },
  ),
  cut(7, "orders that must fail", UNPROVABLE),
  cut(
    7,
    "one client for a name",
    edit("lib/desired-state/acme.ts", "owner !== i || client.names.indexOf(certificate) !== j", "false"),
  ),
  cut(8, "the dial of the relay", DIALS_RELAY),
  cut(
    8,
    "the relay among a deploy's last checks",
    edit(ARGS, "!withoutGuards[8] && !withoutGuards[11]", "false"),
  ),
  cut(
    9,
    "the connection of the probe of reach",
    edit("verify/reach.ts", "said=$(nc -v -v -z -w 3 ${host} ${port} 2>&1) &&", "said= &&"),
  ),
  cut(9, "the relay", BY_THE_RELAY, { tests: STATE_TESTS }),
  cut(9, "the namespace's network without IPv6", edit(SIDECAR, "ipv6: false", "ipv6: true"), {
    tests: COMPONENTS,
    lab: false,
  }),
  cut(10, "the relay", BY_THE_RELAY, { tests: STATE_TESTS }),
  cut(
    11,
    "the relay's flow",
    edit(
      "lib/tailnet/flows.ts",
      "const peer = peers[role];",
      `const peer = role === "relay" ? undefined : peers[role];`,
    ),
  ),
  cut(11, "the dial of the relay", DIALS_RELAY),
  cut(
    12,
    "the verdict on the probe's way",
    edit(
      "provider/server/probe.ts",
      "if (!route) throw new UserError(...otherRoute(transport, routes, seen, domain));",
      "if (!route) return;",
    ),
  ),
  cut(
    12,
    "the reload after a write",
    edit(
      CONVERGE,
      "await reload(api, reroutes && stale.length > 0 && !held);",
      "await Promise.resolve<unknown>(undefined);",
    ),
    { tests: RELOAD_TESTS },
  ),
  cut(12, "the restart after a change of routes", edit(CONVERGE, "if (reroutes || held) {", "if (held) {"), {
    tests: ROUTE_TESTS,
  }),
  cut(
    12,
    "the reload after a write, from 0.16 on",
    edit("provider/registry/converge.ts", "await api.reload();\n    // What a refused", "// What a refused"),
    { tests: ["test/unit/provider/registry/registry.test.ts"] },
  ),
  cut(
    13,
    "the anchor's namespace",
    [
      edit(SIDECAR, "...(leftOut[13] ? ownNamespace : { networkMode: ofAnchor })", "...ownNamespace"),
      edit(
        SIDECAR,
        "leftOut[13] ? pulumi.interpolate`container:${this.container.id}` : ofAnchor",
        "pulumi.interpolate`container:${this.container.id}`",
      ),
    ],
    { tests: COMPONENTS },
  ),
  cut(13, "the end of who has lost its namespace", edit(ENTRYPOINT, "\nwatch_namespace &\n", "\n")),
  cut(
    14,
    "the check of the route's name",
    edit("lib/desired-state/schema.ts", "if (!routes.includes(state.outbound.route)) {", "if (false) {"),
  ),
  cut(
    14,
    "the provider's check of it",
    edit("provider/keys/check.ts", "checkRouting(inputs.settings, fail);", "void 0;"),
    {
      tests: ["test/unit/provider/keys/routing.test.ts"],
    },
  ),
  cut(
    14,
    "the provider's check of it, from 0.16 on",
    edit("provider/registry/check.ts", "checkRouting(objects, fail);", "void 0;"),
    { tests: ["test/unit/provider/registry/registry.test.ts"] },
  ),
  cut(15, "the one listener", [
    edit(
      CADDY,
      "...(inputs.withoutGuards?.[15] && { https: byName(inputs, https) })",
      "https: byName(inputs, https)",
    ),
    edit(CADDY, "?.[15] ? [] : routesByName(inputs, https)", "?.[15] ? [] : []"),
  ]),
  cut(16, "the watch", edit(ENTRYPOINT, "if [[ $watch == off ]]; then", "if true; then")),
  cut(16, "the watch of the stack's Stalwart", edit(ARGS, "watch: !withoutGuards[16]", "watch: false")),
  cut(
    16,
    "the end of dead connections",
    edit(SIDECAR, `...(!leftOut[16] && { "net.ipv4.tcp_retries2": "6" }),`),
    { tests: COMPONENTS },
  ),
  cut(
    17,
    "A records alone",
    edit(
      "lib/dns/hosts.ts",
      `if (setup.deadAddress6 !== undefined)
      draft.add(host, "host", { type: "AAAA", address: setup.deadAddress6 });`,
      `draft.add(host, "host", { type: "AAAA", address: "2001:db8::20" });`,
    ),
    { tests: ["test/unit/lib/dns/mail-records.test.ts"] },
  ),
  cut(
    18,
    "the old value's removal",
    edit(
      "lib/dns/record-sets.ts",
      "const remove = goes.filter((value) => !wanted.includes(value));",
      "const remove: string[] = [];",
    ),
    { tests: ["test/unit/provider/dns/places.test.ts"] },
  ),
  // What is cut refuses a config that a lab's lesson does not have without its switch.
  cut(
    19,
    "ed25519 beside RSA alone",
    edit("config/problems/dns.ts", `signersBy("rsa").length > 0 || withoutGuards[19] ? [] :`, "true ? [] :"),
    { lab: false },
  ),
  cut(20, "what Postgres is asked to do with a dead connection", [
    edit("lib/desired-state/stores.ts", `  "tcp_keepalives_idle=15",\n`),
    edit("lib/desired-state/stores.ts", `  "tcp_user_timeout=30000",\n`),
  ]),
];

/** The policies that refuse a stack without a lesson's guard, each taken out of the pack. */
export const REFUSING: readonly Cut[] = CARDS.flatMap(({ number, refusedBy }) =>
  refusedBy.map((id) => {
    const name = id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return cut(number, `the policy ${id}`, edit("policies/rules/index.ts", `\n  ${name},\n`, "\n"), {
      tests: ["test/policy/cases.test.ts", "test/policy/lessons.test.ts"],
      lab: false,
    });
  }),
);

/** What a lab's config cannot say, and the guard refuses: it stands in the code beside the cut. */
export const MISTAKES: Readonly<Record<number, readonly Edit[]>> = {
  14: [edit(STATE, `? "mx" : ROUTE`, `? "mx" : "relay-2"`)],
};
