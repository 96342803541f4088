import { Command } from "@pulumi/command/local/command.js";
import * as pulumi from "@pulumi/pulumi";

import { startName, startScript, systemdUnit } from "../lib/start-unit.ts";
import { stackLabel } from "./shared.ts";

/** Where the start script goes. */
export interface StartUnitArgs {
  dockerHost: string;
  kind: "systemd" | "none";
}

/** Starts the stack's containers again that Docker has given up (decision 4, moby#50326). */
export class StartUnit extends pulumi.ComponentResource {
  constructor(name: string, args: StartUnitArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:StartUnit", name, args, opts);
    const parent = { parent: this };
    const file = startName(stackLabel());
    const unit = `${file}.service`;
    if (args.kind === "systemd") {
      const path = `/usr/local/sbin/${file}.sh`;
      new Command(
        `${name}-systemd`,
        {
          create: 'ssh -o BatchMode=yes "$HOST" sh -s',
          delete:
            'ssh -o BatchMode=yes "$HOST" "systemctl stop $UNIT; systemctl disable $UNIT; rm -f $FILE /etc/systemd/system/$UNIT; systemctl daemon-reload"',
          environment: { HOST: args.dockerHost, UNIT: unit, FILE: path },
          stdin: installation(path, startScript(stackLabel()), unit),
        },
        parent,
      );
    }
    this.registerOutputs({});
  }
}

/** Shell that writes script and unit on the KVM host; ssh hands it to `sh -s`. */
function installation(path: string, script: string, unit: string): string {
  return `set -e
cat > ${path} <<'TAILWART_SCRIPT'
${script}TAILWART_SCRIPT
chmod 0755 ${path}
cat > /etc/systemd/system/${unit} <<'TAILWART_UNIT'
${systemdUnit(path)}TAILWART_UNIT
systemctl daemon-reload
systemctl enable ${unit}
systemctl restart ${unit}
`;
}
