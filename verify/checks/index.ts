import type { Check } from "../check.ts";
import type { DoctorScene } from "../doctor/target.ts";
import { caBudget } from "./ca-budget.ts";
import { dnsRecords } from "./dns.ts";
import { dnsCanary } from "./dns-canary.ts";
import { dnsbl } from "./dns-dnsbl.ts";
import { dnssec } from "./dns-dnssec.ts";
import { acme, watch } from "./log.ts";
import { images, machines } from "./machines.ts";
import { magicDns, nodeKey, nodeName } from "./node.ts";
import { postgresLogin } from "./postgres-login.ts";
import { adminClosed, certificates, publicPorts } from "./public.ts";
import { openRelay, proxy } from "./relaying.ts";
import { relaySmtp } from "./relay-smtp.ts";
import { bans, queue, tasks } from "./server.ts";
import { UP_CHECKS } from "./up.ts";

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
  caBudget,
  ...publicPorts,
  certificates,
  adminClosed,
  proxy,
  openRelay,
  ...dnsRecords,
  dnssec,
  dnsbl,
  dnsCanary,
];
