import type { Check } from "../check.ts";
import type { DoctorScene } from "../doctor/target.ts";
import { dnsCanary } from "./dns-canary.ts";
import { edge, edgeNames } from "./edge.ts";
import { acme, watch } from "./log.ts";
import { images, machines } from "./machines.ts";
import { edgeAddress, magicDns, nodeKey, nodeName } from "./node.ts";
import { edgeDocker, edgeRuns, kvmDocker, namespace, stalwartRuns } from "./hosts.ts";
import { postgres, relay, stores } from "./peers.ts";
import { postgresLogin } from "./postgres-login.ts";
import { adminClosed, certificates, publicPorts } from "./public.ts";
import { openRelay, proxy } from "./relaying.ts";
import { relaySmtp } from "./relay-smtp.ts";
import { bans, queue, tasks } from "./server.ts";
import { stalwart } from "./stalwart.ts";
import { sidecar, tailnet } from "./tailnet.ts";

/** The checks that an `up` can end with: they need no more than a VerifyTarget. */
export const UP_CHECKS: readonly Check[] = [
  kvmDocker,
  namespace,
  tailnet,
  postgres,
  sidecar,
  stores,
  relay,
  stalwartRuns,
  stalwart,
  edgeDocker,
  edgeRuns,
  edgeNames,
  edgeAddress,
  edge,
];

/** Every check there is, each behind what it needs: the doctor's. */
export const CHECKS: readonly Check<DoctorScene>[] = [
  ...UP_CHECKS,
  ...machines,
  images,
  nodeKey,
  nodeName,
  magicDns,
  postgresLogin,
  relaySmtp,
  queue,
  bans,
  tasks,
  watch,
  acme,
  ...publicPorts,
  certificates,
  adminClosed,
  proxy,
  openRelay,
  dnsCanary,
];
