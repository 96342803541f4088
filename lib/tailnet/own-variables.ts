/**
 * The environment of the sidecar's containerboot that tailwart itself sets, and why nobody else may
 * (tailscale.com/cmd/containerboot, settings.go). The aliases are refused as well.
 */
export const OWN_VARIABLES = {
  TS_ACCEPT_DNS: "names are resolved by MagicDNS",
  TS_AUTHKEY:
    "the login is made by tailwart, and in the environment everybody could read it; see tailnet.identity",
  TS_AUTH_KEY:
    "the login is made by tailwart, and in the environment everybody could read it; see tailnet.identity",
  TS_AUTH_ONCE: "a login key is for one use",
  TS_BOOT_TIMEOUT: "mail is back within half a minute only if a start that hangs is given up before",
  TS_ENABLE_HEALTH_CHECK: "the sidecar's health rests on it",
  TS_EXTRA_ARGS: "it is written from tailnet.controlUrl, tailnet.identity and tailnet.tags.stalwart",
  TS_HEALTHCHECK_ADDR_PORT: "the sidecar's health is asked for there",
  TS_HOSTNAME: "the name is tailnet.hostname",
  TS_LOCAL_ADDR_PORT: "the sidecar's health is asked for there",
  TS_STATE_DIR: "where the node's state is kept follows from tailnet.identity",
  TS_USERSPACE: "Stalwart needs the tailnet as a device of its namespace",
} as const;

/** One of them. */
export type OwnVariable = keyof typeof OWN_VARIABLES;
