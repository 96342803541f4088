import * as pulumi from "@pulumi/pulumi";

import { runCommand } from "../lib/run-command.ts";
import { FIXED_NAME, stackLabel } from "./shared.ts";

/** Milliseconds. Docker waits for up to 30 s until Stalwart has ended. */
const DEADLINE = 60_000;

/** How the docker CLI calls what it can name, and where it keeps the labels. */
const KINDS = {
  "docker:index/container:Container": { kind: "container", labels: ".Config.Labels", users: "0" },
  "docker:index/network:Network": { kind: "network", labels: ".Labels", users: "len .Containers" },
} as const;

/**
 * Options of a container or network with a fixed name: its predecessor goes before it comes, and so
 * does what an `up` that was cut off has left of it.
 *
 * Docker has a container, and the state has not, when the engine dies between the two (a power cut,
 * kill -9). The next `up` would meet "Conflict. The container name … is already in use" for ever.
 * The engine asks for a create only where the state holds nothing of that name, so whatever carries
 * the name and this stack's label then is such a leftover. It is removed, not adopted: its files
 * may be missing. A volume is not: to make one that is there changes nothing.
 */
export function takingOver(dockerHost: string) {
  const stack = stackLabel();
  return {
    ...FIXED_NAME,
    // A change of these the provider reports as done, and does nothing: it makes no new container
    // for them, and its update of an old one knows only of limits (terraform-provider-docker,
    // resourceDockerContainerUpdate). Seen: a sidecar whose health still asked the old Postgres.
    replaceOnChanges: ["healthcheck", "tmpfs"],
    hooks: {
      beforeCreate: [
        ({ type, newInputs }: pulumi.ResourceHookArgs) =>
          removeLeftover(dockerHost, type as keyof typeof KINDS, String(newInputs?.["name"]), stack),
      ],
    },
  };
}

/**
 * Removes a container or an empty network of this name, if it is the stack's own.
 *
 * @throws Error when it is somebody else's or in use, with the command to look at it
 */
export async function removeLeftover(
  dockerHost: string,
  type: keyof typeof KINDS,
  name: string,
  stack: string,
): Promise<void> {
  const { kind, labels, users } = KINDS[type];
  const docker = async (...args: string[]) => {
    const run = await runCommand("docker", ["--host", dockerHost, kind, ...args], { deadline: DEADLINE });
    const ok = run.status === 0;
    return { ok, said: (ok ? run.stdout : run.stderr).trim() };
  };
  const format = `{"id":{{json .Id}},"labels":{{json ${labels}}},"users":{{${users}}}}`;
  const found = await docker("inspect", "--format", format, name);
  if (!found.ok) {
    if (/no such (?:container|network)|network \S+ not found/i.test(found.said)) return;
    throw new Error(`${dockerHost} cannot be asked for the ${kind} ${name}: ${found.said}`);
  }
  type Found = { id: string; labels: Record<string, string> | null; users: number };
  const { id, labels: carried, users: attached } = JSON.parse(found.said) as Found;
  const refuse = (why: string) =>
    new Error(
      `the ${kind} ${name} is on ${dockerHost} already, and ${why}. Look at it with \`docker --host ${dockerHost} ${kind} inspect ${name}\`; ` +
        `docs/operate.md, "What the state does not know", says what to do`,
    );
  if (carried?.["tailwart.stack"] !== stack) throw refuse(`not labelled tailwart.stack=${stack}`);
  if (attached > 0) throw refuse("in use, while the stack's state knows nothing of it");
  // with its own grace: an ephemeral node logs out
  if (kind === "container") await docker("stop", id);
  const removed = await docker("rm", ...(kind === "container" ? ["--force", "--volumes"] : []), id);
  if (!removed.ok)
    throw new Error(`the ${kind} ${name} cannot be removed from ${dockerHost}: ${removed.said}`);
  await pulumi.log.warn(`removed the ${kind} ${name} from ${dockerHost}: an up that was cut off had left it`);
}
