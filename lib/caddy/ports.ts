import type { EdgeInputs } from "./config.ts";

/**
 * TCP ports that Caddy opens for a config: the services', :443 where anything is answered there,
 * and :80 for redirects and challenges of its own sites (automatic HTTPS), unless another web
 * server has it.
 *
 * @example edgePorts({ services: [MAIL_SERVICES.smtp], sites: [] }) // [25]
 */
export function edgePorts({
  services,
  sites,
  fallback,
}: Pick<EdgeInputs, "services" | "sites" | "fallback">): number[] {
  const web = sites.length > 0 || fallback !== undefined ? [443] : [];
  const plain = sites.length > 0 && fallback === undefined ? [80] : [];
  return [...new Set([...services.map(({ port }) => port), ...web, ...plain])];
}

/**
 * Shell lines for the edge's container: prints `port/inode` of each listening socket on the ports
 * given as arguments that no process of the container has open; nothing where the ports are free.
 *
 * With host network the host's sockets are in /proc/net/tcp. The processes behind them are not
 * seen: the container has process ids of its own.
 */
const TAKEN_SCRIPT = `own=$(ls -l /proc/[0-9]*/fd 2>/dev/null)
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ address _ state _ _ _ _ _ inode _; do
  [ "$state" = 0A ] || continue
  port=$((0x\${address##*:}))
  case " $* " in *" $port "*) ;; *) continue ;; esac
  case $own in *"socket:[$inode]"*) ;; *) echo "$port/$inode" ;; esac
done`;

/**
 * Shell lines that name the processes which have the sockets open that are given as `port/inode`.
 * To be run with the host's process ids, and with SYS_PTRACE and DAC_READ_SEARCH, without which
 * nobody else's files are seen.
 */
const OWNERS_SCRIPT = `files=$(ls -l /proc/[0-9]*/fd 2>/dev/null)
for one in "$@"; do
  who= pid=
  while read -r line; do
    case $line in
      /proc/*/fd:) pid=\${line#/proc/} pid=\${pid%/fd:} ;;
      *"-> socket:[\${one#*/}]")
        case $who in *"process $pid)"*) ;; *) who="\${who:+$who, }$(cat "/proc/$pid/comm") (process $pid)" ;; esac ;;
    esac
  done <<END
$files
END
  echo "tcp \${one%/*} of the edge is taken by \${who:-a process that ended meanwhile}" >&2
done`;

/**
 * Shell lines that end with 1, and say which process it is, when another server listens on one of
 * the edge's ports.
 *
 * Caddy binds with SO_REUSEPORT (caddy v2.11 listen_unix.go): beside another server that does so as
 * well, such as a second Caddy, the kernel gives each of them connections at random, and neither is
 * told. Who it is takes the host's process ids: a container that lives for a second, has no more
 * than the two capabilities for it, and is only started where a port is taken.
 *
 * Environment: DOCKER_HOST, CONTAINER, IMAGE (of that container), PORTS (with blanks between).
 */
export const PORTS_ARE_FREE = `taken=$(docker exec "$CONTAINER" sh -c '${quoted(TAKEN_SCRIPT)}' ports $PORTS) || exit 1
if [ -n "$taken" ]; then
  docker run --rm --pull never --network host --pid host --read-only --cap-drop ALL --cap-add SYS_PTRACE \\
    --cap-add DAC_READ_SEARCH --security-opt no-new-privileges --security-opt apparmor=unconfined \\
    --entrypoint sh "$IMAGE" -c '${quoted(OWNERS_SCRIPT)}' owners $taken ||
    echo "ports of the edge are taken by other processes: $taken (port/inode); ss -lntp on the edge names them" >&2
  echo "Caddy would share such a port with it at random, so nothing was changed. Stop it, or leave the service out of tailwart:services; a web server may move to another port and be named as the fallback of this edge in tailwart:edges, such as 127.0.0.1:8443" >&2
  exit 1
fi`;

function quoted(script: string): string {
  return script.replaceAll("'", `'\\''`);
}
