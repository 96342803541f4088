import type { ImageConfig } from "./store.ts";

/**
 * What is known of an official image, as far as it matters to what runs in it or beside it. The
 * lab's images are held against it, and so are official ones that are given to the lab
 * (test/lab/15-layouts.test.ts).
 */
export interface ImageFacts {
  /** Where all of it is written. */
  source: string;
  /** Programs that tailwart or the server uses, by path. Through a link: the link's own path. */
  programs: readonly string[];
  /** Programs that are not there, by name: in no folder of PATH. */
  absent: readonly string[];
  /** Folders that hold nothing else. */
  only: Record<string, readonly string[]>;
  /** Link → the file that it leads to in the end. */
  links: Record<string, string>;
  /** Program → its file capability, as getcap writes it. */
  capabilities: Record<string, string>;
  /** Name or number → number of the user that the image's config names. */
  users?: Record<string, string>;
  /** How a container starts. What the image leaves open is not in it. */
  config: ImageConfig;
}

const BUSYBOX = "/bin/busybox";
/** Of the applets those that tailwart's scripts and checks call. */
const APPLETS = {
  "/bin/sh": BUSYBOX,
  "/bin/cat": BUSYBOX,
  "/bin/mv": BUSYBOX,
  "/bin/rm": BUSYBOX,
  "/bin/sleep": BUSYBOX,
  "/usr/bin/head": BUSYBOX,
  "/usr/bin/nc": BUSYBOX,
  "/usr/bin/tail": BUSYBOX,
  "/usr/bin/timeout": BUSYBOX,
  "/usr/bin/wget": BUSYBOX,
};
const LEGACY = "/usr/sbin/xtables-legacy-multi";
const NFT = "/usr/sbin/xtables-nft-multi";

/**
 * Alpine's packages link the plain names to nft; tailscale's Dockerfile.base links two of them
 * back.
 */
function iptables(name: "iptables" | "ip6tables"): Record<string, string> {
  const family = (suffix: string, target: string) =>
    Object.fromEntries(["", "-restore", "-save"].map((end) => [`/usr/sbin/${name}${suffix}${end}`, target]));
  return {
    ...family("", NFT),
    ...family("-nft", NFT),
    ...family("-legacy", LEGACY),
    [`/usr/sbin/${name}`]: LEGACY,
  };
}

const SIDECAR: ImageFacts = {
  source: "tailscale v1.102.5: Dockerfile.base (alpine:3.22), build_docker.sh (mkctr)",
  programs: [
    BUSYBOX,
    "/usr/bin/getent",
    "/sbin/ip",
    LEGACY,
    NFT,
    "/usr/local/bin/containerboot",
    "/usr/local/bin/tailscale",
    "/usr/local/bin/tailscaled",
  ],
  absent: ["bash", "curl", "nft", "python3", "perl", "socat", "ssh", "sudo"],
  only: { "/usr/local/bin": ["containerboot", "tailscale", "tailscaled"] },
  links: { ...APPLETS, ...iptables("iptables"), ...iptables("ip6tables") },
  capabilities: {},
  config: { Cmd: ["/usr/local/bin/containerboot"] },
};

/** debian:trixie-slim has bash and coreutils, and nothing that speaks HTTP. */
const SLIM = ["/usr/bin/bash", "/usr/bin/timeout", "/usr/bin/sleep", "/usr/bin/cat"];
const NOT_SLIM = ["wget", "nc", "python3", "socat", "ssh", "sudo", "ip", "iptables", "ps"];

const STALWART_0_15: ImageFacts = {
  source: "stalwart v0.15.5: Dockerfile (debian:trixie-slim with ca-certificates)",
  programs: [...SLIM, "/usr/local/bin/stalwart", "/usr/local/bin/entrypoint.sh"],
  absent: [...NOT_SLIM, "curl", "setcap"],
  // The official one has stalwart-cli as well, which nobody here calls.
  only: { "/usr/local/bin": ["stalwart", "stalwart-cli", "entrypoint.sh"] },
  links: {},
  capabilities: {},
  config: {
    Entrypoint: ["/bin/sh", "/usr/local/bin/entrypoint.sh"],
    Cmd: ["/usr/local/bin/stalwart"],
    WorkingDir: "/opt/stalwart",
    Volumes: { "/opt/stalwart": {} },
  },
};

const STALWART_0_16: ImageFacts = {
  source: "stalwart v0.16.18: Dockerfile (debian:trixie-slim with ca-certificates, curl, libcap2-bin)",
  programs: [...SLIM, "/usr/bin/curl", "/usr/sbin/setcap", "/usr/local/bin/stalwart"],
  absent: NOT_SLIM,
  only: { "/usr/local/bin": ["stalwart"] },
  links: {},
  capabilities: { "/usr/local/bin/stalwart": "cap_net_bind_service=ep" },
  users: { stalwart: "2000:2000" },
  config: {
    User: "stalwart",
    WorkingDir: "/var/lib/stalwart",
    Entrypoint: ["/usr/local/bin/stalwart"],
    Cmd: ["--config", "/etc/stalwart/config.json"],
    Env: ["STALWART_HEALTHCHECK_URL=https://127.0.0.1:443/healthz/live"],
    Volumes: { "/etc/stalwart": {}, "/var/lib/stalwart": {} },
    Healthcheck: {
      Test: [
        "CMD-SHELL",
        'curl -fsSk -H "X-Forwarded-For: 127.0.0.1" "$STALWART_HEALTHCHECK_URL" || curl -fsS -H "X-Forwarded-For: 127.0.0.1" http://127.0.0.1:8080/healthz/live || exit 1',
      ],
      Interval: 30e9,
      Timeout: 5e9,
      StartPeriod: 30e9,
      Retries: 3,
    },
  },
};

const EDGE: ImageFacts = {
  source:
    "images/edge/Dockerfile; caddy-docker: 2.11/alpine/Dockerfile (alpine:3.23), 2.11/builder/Dockerfile",
  programs: [BUSYBOX, "/usr/bin/caddy"],
  // The official one has curl, which is no more than a tool of its build.
  absent: ["bash", "nft", "python3", "perl", "socat", "ssh", "sudo"],
  only: { "/usr/local/bin": [] },
  links: APPLETS,
  // xcaddy sets it in the builder (XCADDY_SETCAP), and COPY keeps it.
  capabilities: { "/usr/bin/caddy": "cap_net_bind_service=ep" },
  config: {
    Cmd: ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
    WorkingDir: "/srv",
    Env: ["XDG_CONFIG_HOME=/config", "XDG_DATA_HOME=/data"],
  },
};

/** The one table of facts. */
export const FACTS = {
  sidecar: SIDECAR,
  "stalwart-0.15": STALWART_0_15,
  "stalwart-0.16": STALWART_0_16,
  edge: EDGE,
} as const satisfies Record<string, ImageFacts>;

/** A layout that the lab can build. */
export type LayoutName = keyof typeof FACTS;
