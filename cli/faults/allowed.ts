/** What may stand in a log, by what has happened. Whatever else is found there fails a run. */
import type { Allowance, Component } from "./logs.ts";

const allow = (of: Component, line: RegExp, why: string): Allowance => ({ of, line, why });

/** Of a stack that is well, in the lab. */
export const NORMAL: readonly Allowance[] = [
  allow("sidecar", /netcheck: UDP is blocked/, "the lab's DERP server has no STUN; nodes meet by disco"),
  allow("stalwart", /\(queue\.back-pressure\)/, "the queue delivers 25 at a time, and says when more wait"),
];

export const STALWART_STARTS: readonly Allowance[] = [
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
  allow(
    "edge",
    /"logger":"layer4.*(reset by peer|broken pipe|connection refused|no route|i\/o timeout|EOF)/,
    "sessions end with the server that they led to",
  ),
];

export const SIDECAR_STARTS: readonly Allowance[] = [
  allow(
    "stalwart",
    /^tailwart: watch: \S+ sends no greeting within \d+ s \([12] of \d+\)/,
    "what Stalwart asks of Postgres waits until the node is back; three misses would be a restart",
  ),
  ...[
    [/ipnext: work queue shutdown failed/, "tailscaled says so at each end"],
    [/^TPM: error opening/, "there is none"],
    [/router: enumerating tailscale0 addresses for cleanup/, "it looks for what a killed one may have left"],
    [/\[warning\] failed to symlink socket: file exists/, "containerboot finds its own link of before"],
    [/health\(warnable=[a-z-]+\): (error|ok)/, "tailscaled says what is not there yet, and then that it is"],
    [/failed to enable src_valid_mark/, "/proc/sys is read-only; only exit nodes need it"],
    [/rename of "\/etc\/resolv\.conf".* falling back to copy\+delete/, "Docker mounts it; the copy will do"],
    [/open-conn-track: timeout opening .* lastRecv=never/, "its peers are not reached in the first seconds"],
    [/peerapi: failed to do peerAPI listen, harmless/, "as it says"],
  ].map(([line, why]) => allow("sidecar", line as RegExp, why as string)),
];

export const EDGE_STARTS: readonly Allowance[] = [
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

export const DATABASE_AWAY: readonly Allowance[] = [
  allow(
    "stalwart",
    /\(store\.postgresql-error\).*(error connecting to server|db error|connection closed|timeout)/i,
    "the database is away, and every question to it fails",
  ),
  allow(
    "postgres",
    /FATAL: {2}(terminating connection due to|the database system is)/,
    "Postgres tells its clients that it ends, or is not there yet",
  ),
  allow(
    "postgres",
    /no pg_hba.conf entry for host "\[local\]", user "root"/,
    "the lab asks whether it is up",
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
