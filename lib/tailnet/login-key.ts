/** Where the sidecar reads what it logs in with. */
export const LOGIN_KEY_FILE = "/etc/tailwart/authkey";

/**
 * Label of a sidecar that logs in with a single-use key: that key's id in the API, which is no
 * secret.
 */
export const LOGIN_KEY_LABEL = "tailwart.login-key.id";

/**
 * How long a login key is good for. Long enough for one deploy, since the node's own key takes over
 * after the first login. Seconds.
 */
export const LOGIN_KEY_LIFETIME = 3600;

/** A persistent node's login key: for one machine, which carries the tag and needs no approval. */
export const loginKey = (tag: string) => ({
  ephemeral: false,
  preauthorized: true,
  reusable: false,
  tags: [tag],
});
