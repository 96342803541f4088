/** How often the host looks for containers that Docker has given up. Seconds. */
const INTERVAL = 5;

/**
 * A script that starts a stack's containers again that Docker has given up, as long as it runs.
 *
 * Docker tries a start once: when the owner of the namespace that a container joins is down at that
 * moment, the container stays down, whatever its restart policy says (moby#50326). It happens at
 * boot, since Docker before 29 does not order its starts, and when an anchor and one that has
 * joined it are killed together. Such a container is told by `State.Error`; one that was stopped by
 * hand has none, and is left alone.
 *
 * @param stack value of the label tailwart.stack
 */
export function startScript(stack: string): string {
  return `#!/bin/sh
# Written by tailwart: starts the containers of ${stack} that Docker has given up.
set -u
while :; do
  # In the order of their roles, so the anchor first.
  for id in $(docker ps --all --filter status=exited --filter label=tailwart.stack=${stack} \\
    --format '{{.Label "tailwart.role"}} {{.ID}}' | sort | cut -d ' ' -f 2); do
    error=$(docker inspect --format '{{.State.Error}}' "$id")
    [ -z "$error" ] || { docker start "$id" >/dev/null 2>&1 && echo "started $id again, after: $error"; }
  done
  sleep ${INTERVAL}
done
`;
}

/** Name of the script's file; the systemd unit is called alike. One for each stack on a host. */
export function startName(stack: string): string {
  return `tailwart-start-${stack.replaceAll("/", "-")}`;
}

/** A systemd unit that runs the script for as long as Docker runs (systemd.unit(5)). */
export function systemdUnit(scriptPath: string): string {
  return `[Unit]
Description=Start tailwart's containers that Docker has given up
After=docker.service
Requires=docker.service
PartOf=docker.service

[Service]
ExecStart=${scriptPath}
Restart=always
RestartSec=${INTERVAL}

[Install]
WantedBy=docker.service
`;
}
