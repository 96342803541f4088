// The stack's config, and the providers that its resources go through. A wrong config is refused
// here, before anything is registered. main.mjs imports this before index.ts: the engine starts the
// providers' plugins one after another, and so does it while Node is still reading the components
// (a tenth of a preview).
import { Provider as DockerProvider } from "@pulumi/docker/provider.js";
import * as pulumi from "@pulumi/pulumi";

import { loadStackConfig } from "./config/stack.ts";
import { componentArgs } from "./config/component-args.ts";
import { Provider as MailProvider } from "./provider/Provider.ts";

export const { config, secrets } = loadStackConfig();
export const args = componentArgs(config);

const registryAuth = config.registries.map(({ address, username }) => ({
  address,
  username,
  password: pulumi.secret(secrets.registryPasswords?.[address] ?? ""),
}));

// Preview must not need the hosts, so the daemons are asked for nothing until a resource is made
// (decision 12).
const dockerOf = (name: string, host: string) =>
  new DockerProvider(name, {
    host,
    disableDockerDaemonCheck: true,
    ...(registryAuth.length > 0 && { registryAuth }),
  });

/**
 * Serves the settings; the slowest to start, so the first. It refuses a server that the data store
 * is not for.
 */
export const mail = new MailProvider("mail", { ...args.deployed, stack: pulumi.getStack() });
/** Docker on the KVM VPS. The registries' logins go with each pull. */
export const kvm = dockerOf("kvm", config.kvm.dockerHost);
/** Each edge, with Docker on its box. */
export const edges = args.edges.map((edge) => ({
  ...edge,
  box: dockerOf(`${edge.name}-box`, edge.caddy.dockerHost),
}));
