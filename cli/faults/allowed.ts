/** What may stand in a log, by what has happened. Whatever else is found there fails a run. */
import type { Allowance, Component } from "./logs.ts";

const allow = (of: Component, line: RegExp, why: string): Allowance => ({ of, line, why });

/** Of a stack that is well, in the lab. A session that is cut before its time is in the ledger. */
export const NORMAL: readonly Allowance[] = [
  allow(
    "stalwart",
    /^tailwart: watch: \S+ sends no greeting within \d+ s \(1 of \d+\)/,
    "one late greeting, on a machine that has other things to do; a second in a row may not be",
  ),
  allow("edge", /"upstream connection".*reset by peer/, "a last word crosses with the server's goodbye"),
  allow(
    "postgres",
    /no pg_hba.conf entry for host "\[local\]", user "root"/,
    "the lab asks whether it is up",
  ),
  allow("sidecar", /netcheck: UDP is blocked/, "the lab's DERP server has no STUN; nodes meet by disco"),
  allow("stalwart", /\(queue\.back-pressure\)/, "the queue delivers 25 at a time, and says when more wait"),
];

/** Whoever the edge had led to a server that is gone. */
const EDGE_LOSES_SERVER = allow(
  "edge",
  /"logger":"layer4.*(reset by peer|broken pipe|connection refused|no route|i\/o timeout|EOF)/,
  "sessions end with the server that they led to, or with the way to it",
);

/**
 * Stalwart does not get to Postgres. Before each greeting it asks there how often the client has
 * come, on the watch's own listener too; where no answer comes it logs that, and lets the client in
 * (smtp/src/core/throttle.rs, is_allowed). Its pool tries each connection before it hands it out,
 * and makes a new one for one that is dead, which fails while the node is away
 * (store/src/backend/postgres/main.rs, RecyclingMethod::Clean).
 */
const POSTGRES_UNREACHED: readonly Allowance[] = [
  allow(
    "stalwart",
    /\(store\.postgresql-error\).*(error (connecting to|communicating with the) server|connection closed|timeout)/i,
    "every question to the database fails, one for each session's greeting included",
  ),
  allow(
    "stalwart",
    /\(task-queue\.task-failed\)/,
    "a message that is stored is put into the index when the database is back",
  ),
  allow(
    "stalwart",
    /^tailwart: watch: \S+ sends no greeting within \d+ s \([12] of \d+\)/,
    "what Stalwart asks of Postgres waits until it is back; three misses would be a restart",
  ),
  allow(
    "postgres",
    /FATAL: {2}canceling authentication due to timeout/,
    "a client has vanished while it logged in",
  ),
];

export const STALWART_STARTS: readonly Allowance[] = [
  EDGE_LOSES_SERVER,
  allow(
    "stalwart",
    /\(resource\.error\).*Webadmin bundle not found/,
    "no admin UI is wanted, and Stalwart misses it at each start",
  ),
  allow(
    "stalwart",
    /\(tls\.no-certificates-available\)/,
    "0.15 listens for some three seconds before it has read its certificate from the data store",
  ),
  allow("stalwart", /^tailwart: gate: waiting for Postgres/, "the gate holds until the sidecar is up"),
  allow("stalwart", /^tailwart: queue: \d+ messages were under way/, "their locks are taken away"),
  allow("stalwart", /^tailwart: Stalwart has ended by itself, with status 137/, "it was killed"),
  allow("postfix", /warning: TLS library problem:.*unexpected eof/i, "it ended while it shook hands"),
];

export const SIDECAR_STARTS: readonly Allowance[] = [
  ...POSTGRES_UNREACHED,
  EDGE_LOSES_SERVER,
  ...[
    [/ipnext: work queue shutdown failed/, "tailscaled says so at each end"],
    [/^TPM: error opening/, "there is none"],
    [/router: enumerating tailscale0 addresses for cleanup/, "it looks for what a killed one may have left"],
    [/addr del failed|router config failed \(deleting/, "the address before went with its device"],
    [/\[warning\] failed to symlink socket: file exists/, "containerboot finds its own link of before"],
    [/health\(warnable=[a-z-]+\): (error|ok)/, "tailscaled says what is not there yet, and then that it is"],
    [/failed to enable src_valid_mark/, "/proc/sys is read-only; only exit nodes need it"],
    [/rename of "\/etc\/resolv\.conf".* falling back to copy\+delete/, "Docker mounts it; the copy will do"],
    [/open-conn-track: timeout opening .* lastRecv=never/, "its peers are not reached in the first seconds"],
    [/peerapi: failed to do peerAPI listen, harmless/, "as it says"],
  ].map(([line, why]) => allow("sidecar", line as RegExp, why as string)),
];

/** The sidecar does not get to other nodes, the control server, or the relay of packets. */
export const WAY_LOST: readonly Allowance[] = [
  ...[
    [/open-conn-track: timeout opening/, "a way is lost, and another one looked for"],
    [/derp\.(Recv|Send)\(|derphttp/, "the relay is not reached; it tries again"],
    [/Received error: PollNetMap/, "the control server is not reached; what it has said before stands"],
    [/control: .*(error|fail|timeout|refused)/i, "the same"],
    [/health\(warnable=[a-z-]+\): (error|ok)/, "tailscaled says what is not there, and then that it is"],
  ].map(([line, why]) => allow("sidecar", line as RegExp, why as string)),
];

export const EDGE_STARTS: readonly Allowance[] = [
  EDGE_LOSES_SERVER,
  allow(
    "stalwart",
    /\(network\.proxy-error\)/,
    "a connection of an edge that ends before it has said whose it is",
  ),
  ...[
    [/"msg":"exiting; byeee/, "Caddy's word for SIGTERM"],
    [/admin endpoint on open interface; host checking disabled.*unix\//, "a socket has no host"],
    [/HTTP\/[23] skipped because it requires TLS/, "port 80 speaks HTTP/1.1"],
    [
      /installing root certificate \(you might be prompted/,
      "the lab's sites have certificates of Caddy's own",
    ],
    [/failed to install root certificate/, "and nobody in the container trusts them, who asks nobody"],
  ].map(([line, why]) => allow("edge", line as RegExp, why as string)),
];

/** The edge has no MagicDNS, and so no upstream: connections are closed, and tried again. */
export const EDGE_NAMELESS: readonly Allowance[] = [
  allow("edge", /"logger":"layer4".*dial tcp: lookup /, "the edge does not know where to"),
];

export const DATABASE_AWAY: readonly Allowance[] = [
  ...POSTGRES_UNREACHED,
  allow("stalwart", /\(store\.postgresql-error\).*db error/, "the database says that it ends or begins"),
  allow(
    "postgres",
    /FATAL: {2}(terminating connection due to|the database system is)/,
    "Postgres tells its clients that it ends, or is not there yet",
  ),
];

/** The watch finds no greeting, says so, and starts the server over. */
export const WATCH_STARTS_OVER: readonly Allowance[] = [
  allow(
    "stalwart",
    /^tailwart: (watch: |Stalwart did not end within \d+ s of SIGTERM)/,
    "the watch starts a server over that does not greet; it cannot end while it waits for Postgres",
  ),
];
