// The stack's config, and the providers that its resources go through. A wrong config is refused here, before anything is registered.
// main.mjs imports this before index.ts: the engine starts the providers' plugins one after another, and so does it while Node is still
// reading the components (a tenth of a preview).
import { Provider as DockerProvider } from "@pulumi/docker/provider.js";

import { loadStackConfig } from "./config/stack.ts";
import { planOf } from "./lib/plan.ts";
import { Provider as MailProvider } from "./provider/Provider.ts";

export const { config, secrets } = loadStackConfig();
export const plan = planOf(config);

// Preview must not need the hosts, so the daemons are asked for nothing until a resource is made (decision 12).
const dockerOf = (name: string, host: string) =>
  new DockerProvider(name, { host, disableDockerDaemonCheck: true });

/** Serves the settings; the slowest to start, so the first. It refuses a server that the data store is not for. */
export const mail = new MailProvider("mail", plan.deployed);
/** Docker on the KVM VPS. */
export const kvm = dockerOf("kvm", config.kvm.dockerHost);
/** Docker on the edge. */
export const edgeBox = dockerOf("edge-box", config.edge.dockerHost);
