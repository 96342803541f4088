import { ADMIN_SOCKET } from "./config.ts";

/**
 * Folder of the config in the edge's container: a volume, so that a new config needs no new
 * container.
 */
export const CONFIG_FOLDER = "/etc/caddy";
/** The config that was last accepted. */
export const CONFIG_FILE = `${CONFIG_FOLDER}/caddy.json`;

/** What Caddy starts with on an empty volume: its admin API and nothing else. */
const BOOTSTRAP = JSON.stringify({ admin: { listen: ADMIN_SOCKET, config: { persist: false } } });
const RUN_FOLDER = "/run/caddy";

/** The edge container's start: the last good config, or the bootstrap while there is none. */
export const EDGE_START = [
  "sh",
  "-ec",
  `mkdir -p ${RUN_FOLDER}
rm -f ${RUN_FOLDER}/admin.sock
[ -s ${CONFIG_FILE} ] || echo '${BOOTSTRAP}' > ${CONFIG_FILE}
exec caddy run --config ${CONFIG_FILE}`,
];

/**
 * Shell lines that read a config from stdin, have Caddy check it, put it in place and reload it
 * (decision 9).
 *
 * Validate first and rename last: a config that Caddy refuses leaves both the file and the running
 * config as they were, and `caddy run` after a restart reads what was last accepted.
 */
export const RELOAD_SCRIPT = `set -e
next=${CONFIG_FOLDER}/next.json
cat > "$next"
caddy validate --config "$next" >/tmp/validate.log 2>&1 || { tail -n 3 /tmp/validate.log >&2; exit 1; }
n=0
until [ -S ${RUN_FOLDER}/admin.sock ]; do
  n=$((n + 1))
  [ "$n" -le 100 ] || { echo "Caddy's admin socket did not appear within 10 s" >&2; exit 1; }
  sleep 0.1
done
caddy reload --config "$next" --address unix/${RUN_FOLDER}/admin.sock 2>/tmp/reload.log || { tail -n 3 /tmp/reload.log >&2; exit 1; }
mv "$next" ${CONFIG_FILE}`;
