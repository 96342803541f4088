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
import { args, config, edges, kvm, mail, secrets } from "./providers.ts";

// First of all, on every host: an image that cannot be pulled stops an `up` that has changed
// nothing yet.
const images = [
  new HostImages("kvm-images", { images: args.images.kvm }, { providers: [kvm] }),
  ...edges.map(
    ({ name, box }) => new HostImages(`${name}-images`, { images: args.images.edge }, { providers: [box] }),
  ),
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

// One after the other, each proved by the way through it before the next is touched: what breaks an
// edge breaks no second one.
const caddies: CaddyEdge[] = [];
const proofs: Verification[] = [];
for (const { name, caddy: caddyArgs, names, box } of edges) {
  const caddy = new CaddyEdge(name, caddyArgs, { providers: [box], dependsOn: [policy, ...proofs] });
  const proof = new Verification(
    // The first has the name that it had when there was one edge.
    proofs.length === 0 ? "delivering" : `delivering-${name}`,
    {
      ...args.verification,
      checks: ["stalwart", ...(args.dialsRelay ? ["relay" as const] : []), "edge"],
      sidecar,
      stalwart,
      edge: { caddy, dockerHost: caddyArgs.dockerHost, names },
    },
    { dependsOn: [settings, caddy, startUnit] },
  );
  caddies.push(caddy);
  proofs.push(proof);
}

policy.test("tailnet-tests", { dependsOn: [running, ...caddies] });

export const stalwartName = args.upstreamHost;
export const edgeAddresses = config.edges.map(({ wanAddress }) => wanAddress);
export const passthroughNames = args.passthrough;
export const containers = {
  anchor: sidecar.anchor.name,
  sidecar: sidecar.container.name,
  stalwart: stalwart.container.name,
  /** On each edge's host. */
  edges: Object.fromEntries(edges.map(({ name }, index) => [name, caddies[index]?.container.name])),
};
/** Selector → what its DKIM record says; `npm run dns` prints them. */
export const dkimRecords = dns.dkimRecords;
/** Of the user "admin", on the admin listener alone. */
export const adminPassword = made.adminPassword;
export const accountPasswords = made.accountPasswords(settings.passwordsInForce);
