// tailwart's table of contents: config and providers (providers.ts) → components → outputs. What
// each part does stands in its own file.
import { CaddyEdge } from "./components/CaddyEdge.ts";
import { DnsKeyTrial } from "./components/DnsKeyTrial.ts";
import { HostImages } from "./components/HostImages.ts";
import { MailDns } from "./components/MailDns.ts";
import { MailSettings } from "./components/MailSettings.ts";
import { StartUnit } from "./components/StartUnit.ts";
import { Stalwart } from "./components/Stalwart.ts";
import { secretFiles, StalwartSecrets } from "./components/StalwartSecrets.ts";
import { TailnetPolicy } from "./components/TailnetPolicy.ts";
import { TailnetSidecar } from "./components/TailnetSidecar.ts";
import { Verification } from "./components/Verification.ts";
import { args, config, edgeBox, kvm, mail, secrets } from "./providers.ts";

// First of all, on every host: an image that cannot be pulled stops an `up` that has changed
// nothing yet.
const images = [
  new HostImages("kvm-images", { images: args.images.kvm }, { providers: [kvm] }),
  new HostImages("edge-images", { images: args.images.edge }, { providers: [edgeBox] }),
];

const policy = new TailnetPolicy(
  "tailnet",
  { policyFile: config.tailnet.policyFile, ...args.policy },
  { dependsOn: images },
);

const sidecar = new TailnetSidecar("mail", args.sidecar, { providers: [kvm], dependsOn: [policy] });

const dnsKey =
  args.dnsKey &&
  new DnsKeyTrial(
    "dns-key",
    { ...args.dnsKey, dockerHost: config.kvm.dockerHost, sidecar, secret: secrets.dnsSecret ?? "" },
    { dependsOn: [sidecar] },
  );

const dns = new MailDns(
  "mail-dns",
  { ...args.dns, secret: secrets.dnsSecret ?? "" },
  { providers: [mail], dependsOn: images },
);

const made = new StalwartSecrets("mail-secrets", {
  adminUser: args.settings.admin.user,
  accounts: args.settings.accounts,
});

const stalwart = new Stalwart(
  "mail-stalwart",
  {
    ...args.stalwart,
    settings: args.settings,
    networkMode: sidecar.networkMode,
    secretFiles: secretFiles(args.settings, secrets, made, dns.keyFiles),
  },
  { providers: [kvm], dependsOn: dnsKey ? [sidecar, dns, dnsKey] : [sidecar, dns] },
);

const startUnit = new StartUnit("mail-start", args.startUnit, { dependsOn: [stalwart] });

const running = new Verification(
  "running",
  { ...args.verification, checks: ["sidecar", "stores"], sidecar, stalwart },
  { dependsOn: [stalwart] },
);

const settings = new MailSettings(
  "mail-settings",
  {
    settings: args.settings,
    generation: args.generation,
    takeOver: args.takeOver,
    ...("withoutGuards" in args && { withoutGuards: args.withoutGuards }),
    dockerHost: config.kvm.dockerHost,
    container: stalwart.container.name,
    accountHashes: made.accountHashes,
    adminHash: made.adminHash,
  },
  { providers: [mail], dependsOn: [running] },
);

const edge = new CaddyEdge("edge", args.edge, { providers: [edgeBox], dependsOn: [policy] });

policy.test("tailnet-tests", { dependsOn: [running, edge] });

new Verification(
  "delivering",
  {
    ...args.verification,
    checks: ["stalwart", ...(args.dialsRelay ? ["relay" as const] : []), "edge"],
    sidecar,
    stalwart,
    edge,
  },
  { dependsOn: [settings, edge, startUnit] },
);

export const stalwartName = args.edge.upstreamHost;
export const edgeAddress = config.edge.wanAddress;
export const passthroughNames = args.edge.passthrough;
export const containers = {
  anchor: sidecar.anchor.name,
  sidecar: sidecar.container.name,
  stalwart: stalwart.container.name,
  edge: edge.container.name,
};
/** Selector → what its DKIM record says; `npm run dns` prints them. */
export const dkimRecords = dns.dkimRecords;
/** Of the user "admin", on the admin listener alone. */
export const adminPassword = made.adminPassword;
export const accountPasswords = made.accountPasswords(settings.passwordsInForce);
