import { UserError } from "../lib/errors.ts";
import type { Line } from "../lib/stalwart/release.ts";
import { ACME } from "./acme.ts";
import { TSIG } from "./dns.ts";
import type { ImageName } from "./images/images.ts";
import { notedImages, type NotedImages } from "./images/noted.ts";
import { naming, type Layout } from "./topology.ts";
import { POSTGRES } from "./postgres.ts";
import { passphraseFile, secretsOf } from "./secrets.ts";
import { SMARTHOST } from "./smarthost.ts";
import { BASE_POLICY, endpointsOf } from "./tailnet/index.ts";

/** Accounts that the lab's stack makes. */
export const ACCOUNTS = ["alice"] as const;

/** All that the lab stack's configuration is made of. */
export interface LabFacts {
  /** References by digest into the lab's registry. */
  images: Record<ImageName, string>;
  /** Line of Stalwart that is in its image. */
  stalwartLine: Line;
  /** Values of `docker --host`, for who is the operator. */
  dockerHosts: { kvm: string; edge: string };
  /** The edge's public address. */
  wanAddress: string;
  mailDomain: string;
  mailHost: string;
  /** A site of the edge's own, beside the mail names. */
  site: string;
  tailnetDomain: string;
  /** `--login-server` of the sidecar. */
  controlUrl: string;
  /** What a node's containerboot needs beside that. */
  nodeEnvironment: Record<string, string>;
  /** `tailscale:baseUrl` */
  apiUrl: string;
  /** File with the key for the Tailscale API's stand-in. */
  apiKeyFile: string;
  /** The tailnet owner's own policy file. */
  policyFile: string;
  /** Who may own tags and open the admin listener, in the policy's words. */
  owners: string[];
  postgres: { host: string; port: number; database: string; user: string; password: string };
  /** `egress` is the address that others see mail come from. */
  relay: { host: string; port: number; egress: string };
  /** Who issues certificates, and by which key their challenges are written into the DNS. */
  acme: { directory: string; contact: string };
  dns: { host: string; keyName: string; algorithm: string; tsigKey: string };
  /** For PULUMI_CONFIG_PASSPHRASE_FILE. */
  passphraseFile: string;
}

/**
 * The facts of a lab that is up. Holds the stack's secrets: not for printing.
 *
 * @throws UserError when it has not been up
 */
export function labFacts(layout: Layout): LabFacts {
  const endpoints = endpointsOf(layout.tailnet);
  const { anchor, sidecar, stalwart, edge } = imagesOf(layout);
  return {
    images: {
      anchor: anchor.reference,
      sidecar: sidecar.reference,
      stalwart: stalwart.reference,
      edge: edge.reference,
    },
    stalwartLine: stalwart.line ?? "0.15",
    dockerHosts: { kvm: layout.boxes.kvm.sshHost, edge: layout.boxes.edge.sshHost },
    wanAddress: layout.machines.edge.address,
    mailDomain: layout.mailDomain,
    mailHost: layout.mailHost,
    site: `www.${layout.mailDomain}`,
    tailnetDomain: endpoints.domain,
    controlUrl: endpoints.loginServer,
    nodeEnvironment: endpoints.nodeEnvironment,
    apiUrl: endpoints.apiUrl,
    apiKeyFile: endpoints.apiKeyFile,
    policyFile: BASE_POLICY,
    owners: ["group:operators"],
    postgres: { ...POSTGRES, password: secretsOf(layout).postgresPassword },
    relay: { ...SMARTHOST, egress: layout.machines.mail.address },
    acme: { directory: ACME.directory, contact: `postmaster@${layout.mailDomain}` },
    dns: { host: layout.dns, ...TSIG, tsigKey: secretsOf(layout).tsigKey },
    passphraseFile: passphraseFile(layout),
  };
}

function imagesOf(layout: Layout): NotedImages {
  const images = notedImages(layout);
  if (images) return images;
  throw new UserError(`the lab "${layout.name}" is not up`, {
    hint: `run: npm run up${naming(layout.name)}`,
  });
}
