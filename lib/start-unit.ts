/**
 * A script that starts a stack's containers again, in their order, after the Docker daemon came up.
 *
 * Docker before 29 does not order starts at boot: a container that joins another's namespace is given up when
 * the owner is not there yet, and \`restart: always\` does not try again (moby#50326).
 *
 * @param stack value of the label tailwart.stack
 */
export function startScript(stack: string): string {
  return `#!/bin/sh
# Written by tailwart: starts the containers of ${stack} that Docker left down at boot.
set -u
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  down=0
  for role in anchor sidecar stalwart; do
    for id in $(docker ps --all --quiet --filter label=tailwart.stack=${stack} --filter label=tailwart.role=$role); do
      [ "$(docker inspect --format '{{.State.Running}}{{.State.Restarting}}' "$id")" = falsefalse ] || continue
      docker start "$id" >/dev/null || down=1
    done
  done
  [ "$down" = 1 ] || exit 0
  sleep 1
done
echo "tailwart: some containers of ${stack} did not start" >&2
exit 1
`;
}

/** Name of the script's file; the systemd unit is called alike. One for each stack on a host. */
export function startName(stack: string): string {
  return `tailwart-start-${stack.replaceAll("/", "-")}`;
}

/** A systemd unit that runs the script each time after Docker has started (systemd.unit(5)). */
export function systemdUnit(scriptPath: string): string {
  return `[Unit]
Description=Start tailwart's containers after Docker
After=docker.service
Requires=docker.service
PartOf=docker.service

[Service]
Type=oneshot
ExecStart=${scriptPath}

[Install]
WantedBy=docker.service
`;
}
