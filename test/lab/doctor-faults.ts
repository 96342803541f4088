// What can go wrong with the lab's stack, and the row of the doctor's that is to say so.
import { stopDaemon } from "../../lab/daemon.ts";
import { startDocker } from "../../lab/docker-hosts.ts";
import { type Cut, dropping, refusingPort } from "../../lab/firewall.ts";
import { MUTE, startImpostor } from "../../lab/impostor.ts";
import { runIn } from "../../lab/machine.ts";
import { prepareOperator } from "../../lab/operator.ts";
import { editZone } from "../../lab/dns.ts";
import { sql, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { startResolver } from "../../lab/resolver.ts";
import { secretsOf } from "../../lab/secrets.ts";
import { startSmarthost, stopSmarthost } from "../../lab/smarthost.ts";
import { startSshd } from "../../lab/sshd.ts";
import { joinTailnet, NODES } from "../../lab/tailnet-nodes.ts";
import { endpointsOf, getPolicy, setPolicy } from "../../lab/tailnet/index.ts";
import { unbanned } from "./doctor.ts";
import { ban, swapKey } from "./hands.ts";
import { container, docker, facts, layout } from "./lab.ts";

/** One fault. What it does and undoes is done when the promise resolves. */
export interface Fault {
  what: string;
  /** The row that is to fail, and no other by itself. */
  row: string;
  /** What that row is to say. */
  says: RegExp;
  inject(): Promise<unknown> | void;
  heal(): Promise<unknown> | void;
  /** The line of Stalwart that it is made for. Default: any */
  line?: "keys";
  /** Whether it is among those that every run of the tests shows. */
  ci?: true;
}

const { machines, boxes } = layout;
const role = facts.postgres.user;

const cut = ({ begin, end }: Cut): Pick<Fault, "inject" | "heal"> => ({ inject: begin, heal: end });

/** A container that is stopped, and started again. */
const stopped = (
  box: "kvm" | "edge",
  which: Parameters<typeof container>[0],
): Pick<Fault, "inject" | "heal"> => ({
  inject: () => void docker(box, "stop", container(which)),
  heal: () => void docker(box, "start", container(which)),
});

const paused = (
  box: "kvm" | "edge",
  which: Parameters<typeof container>[0],
): Pick<Fault, "inject" | "heal"> => ({
  inject: () => void docker(box, "pause", container(which)),
  heal: () => void docker(box, "unpause", container(which)),
});

/** A role's setting in Postgres, for its next logins, and back. */
const altered = (change: string, back: string): Pick<Fault, "inject" | "heal"> => ({
  inject: () => sql(layout, `ALTER ROLE ${role} ${change}`),
  heal: () => sql(layout, `ALTER ROLE ${role} ${back}`),
});

/** The deployed policy without the grants that match. */
function withoutGrant(grant: RegExp): Pick<Fault, "inject" | "heal"> {
  let deployed = "";
  return {
    async inject() {
      deployed = await getPolicy(layout.tailnet);
      if (!grant.test(deployed)) throw new Error(`no grant matches ${grant}:\n${deployed}`);
      await setPolicy(layout.tailnet, deployed.replace(grant, ""));
    },
    heal: () => setPolicy(layout.tailnet, deployed),
  };
}

/** The grant of one flow as tailwart writes it into the policy file. */
const grantTo = (from: string, to: string, ip: string) =>
  new RegExp(`\\{ "src": \\["${from}"\\], "dst": \\["${to}"\\], "ip": \\["${ip}"\\] \\},?`);

/** A line of /etc/hosts goes before MagicDNS. */
const WRONG_NAME = `100.64.0.99 stalwart.${facts.tailnetDomain}`;
const ADD_NAME = `echo "${WRONG_NAME}" >> /etc/hosts`;
/** Where its Docker keeps the container's file. */
const hostsOfEdge = () => docker("edge", "inspect", "--format", "{{.HostsPath}}", container("edge")).trim();
const TAKE_NAME = "grep -v 100.64.0.99 /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts; rm /tmp/hosts";

/** Another program on a machine's port; see startImpostor. */
function instead(
  machine: "mail" | "edge",
  port: number,
  answer: string,
  real?: { before: () => Promise<unknown>; after: () => Promise<unknown> },
): Pick<Fault, "inject" | "heal"> {
  let end: (() => Promise<void>) | undefined;
  return {
    async inject() {
      await real?.before();
      end = await startImpostor(machines[machine], port, answer);
    },
    async heal() {
      await end?.();
      await real?.after();
    },
  };
}

/** A hand's change of a setting, on the 0.15 line, and back. */
function setting(key: string, value: string): Pick<Fault, "inject" | "heal"> {
  let before: string | undefined;
  return {
    inject: async () => void (before = await swapKey(key, value)),
    heal: () => swapKey(key, before),
  };
}

/** Other records in a zone, the mail domain's where none is named, and its own again. */
export function published(
  change: Parameters<typeof editZone>[1],
  zone?: string,
): Pick<Fault, "inject" | "heal"> {
  let undo: (() => Promise<void>) | undefined;
  return {
    inject: async () => void (undo = await editZone(layout, change, zone)),
    heal: async () => undo?.(),
  };
}

/** A record more. */
export const added = (record: string, zone?: string) => published((records) => [...records, record], zone);
/** What a record says, in place of what it says. */
const replaced = (before: RegExp, after: string) =>
  published((records) => records.map((record) => record.replace(before, after)));

export const FAULTS: readonly Fault[] = [
  {
    what: "the mail host leads elsewhere",
    row: "dns-host",
    says: /is 203\.0\.113\.50, and the config says 203\.0\.113\.20/,
    ...replaced(/^(mail\.lab\.test\. A) .*/, `$1 ${machines.outside.address}`),
  },
  {
    what: "the mail host has an IPv6 address that nobody listens on",
    row: "dns-aaaa",
    says: /2001:db8::20: the edge has an IPv4 address alone/,
    ...added("mail.lab.test. AAAA 2001:db8::20"),
    ci: true,
  },
  {
    what: "the MX is that of a provider before",
    row: "dns-mx",
    says: /is 10 mx\.outside\.test\., and the config says 10 mail\.lab\.test/,
    ...replaced(/^(lab\.test\. MX) .*/, "$1 10 mx.outside.test."),
  },
  {
    what: "a second SPF record was added",
    row: "dns-spf",
    says: /has 2 SPF records/,
    ...added('lab.test. TXT "v=spf1 include:outside.test ~all"'),
  },
  {
    what: "the SPF record does not name the smarthost",
    row: "dns-spf",
    says: /does not name ip4:203\.0\.113\.40/,
    ...replaced(/v=spf1 .*"/, 'v=spf1 mx ~all"'),
  },
  {
    what: "the DMARC record is taken away",
    row: "dns-dmarc",
    says: /_dmarc\.lab\.test has no DMARC record/,
    ...published((records) => records.filter((record) => !record.startsWith("_dmarc"))),
  },
  {
    what: "the record of the DKIM key says that it was revoked",
    row: "dns-dkim",
    says: /lab2026\._domainkey\.lab\.test/,
    ...replaced(/^(lab2026\._domainkey\.lab\.test\. TXT) .*/, '$1 "v=DKIM1; k=rsa; p="'),
  },
  {
    what: "Postgres is stopped",
    row: "postgres",
    says: /nothing listens on that port/,
    inject: () => stopPostgres(layout),
    heal: () => startPostgres(layout, { force: true }),
    ci: true,
  },
  {
    what: "Postgres is cut off without a word",
    row: "postgres",
    says: /times out/,
    ...cut(dropping(machines.db, "INPUT", ["-i", "tailscale0", "-p", "tcp", "--dport", "5432"])),
  },
  {
    what: "the role's password is another",
    row: "postgres-login",
    says: /password authentication failed[^]*tailwart:postgresPassword/,
    inject: () => sql(layout, `ALTER ROLE ${role} PASSWORD 'another'`),
    heal: () => sql(layout, `ALTER ROLE ${role} PASSWORD '${secretsOf(layout).postgresPassword}'`),
    ci: true,
  },
  {
    what: "the role may not log in",
    row: "postgres-login",
    says: /not permitted to log in/,
    ...altered("NOLOGIN", "LOGIN"),
  },
  {
    what: "every connection of the role is taken",
    row: "postgres-login",
    says: /too many connections/,
    ...altered("CONNECTION LIMIT 1", "CONNECTION LIMIT -1"),
  },
  {
    what: "Postgres is read-only",
    row: "postgres-login",
    says: /read-only/,
    ...altered("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
  },
  {
    what: "the smarthost is stopped",
    row: "relay",
    says: /nothing listens on that port/,
    inject: () => stopSmarthost(layout),
    heal: () => startSmarthost(layout),
  },
  {
    what: "the grant to the smarthost is taken away",
    row: "relay",
    says: /does not resolve|times out/,
    ...withoutGrant(grantTo("tag:stalwart", "tag:mail", "tcp:587")),
    ci: true,
  },
  {
    what: "the edge's container is stopped",
    row: "edge-runs",
    says: /does not run[^]*docker .* start /,
    ...stopped("edge", "edge"),
  },
  { what: "the edge's container is paused", row: "edge-runs", says: /is paused/, ...paused("edge", "edge") },
  {
    what: "the sidecar is stopped",
    row: "namespace",
    says: /the sidecar .* does not run/,
    ...stopped("kvm", "sidecar"),
    ci: true,
  },
  {
    what: "the sidecar is paused",
    row: "namespace",
    says: /the sidecar .* is paused/,
    ...paused("kvm", "sidecar"),
  },
  {
    what: "the sidecar has left the tailnet",
    row: "tailnet",
    says: /not connected to the tailnet/,
    inject: () => void docker("kvm", "exec", container("sidecar"), "tailscale", "down"),
    heal: () => void docker("kvm", "exec", container("sidecar"), "tailscale", "up"),
  },
  {
    what: "Stalwart's container is stopped",
    row: "stalwart-runs",
    says: /does not run/,
    ...stopped("kvm", "stalwart"),
  },
  {
    what: "Stalwart's container is paused",
    row: "stalwart-runs",
    says: /is paused/,
    ...paused("kvm", "stalwart"),
  },
  {
    what: "the edge's public address is banned",
    row: "bans",
    says: /the edge's public address[^]*--unban/,
    inject: () => ban(facts.wanAddress),
    heal: () => unbanned(facts.wanAddress),
  },
  {
    what: "a firewall before the edge lets nothing in to one port",
    row: "port-993",
    says: /imaps does not serve/,
    ...cut(refusingPort(machines.edge, 993)),
  },
  {
    what: "the edge's name for Stalwart leads elsewhere",
    row: "edge-address",
    says: /is 100\.64\.0\.99, and the node has/,
    // Its root is read-only, and so is this file for whoever is in it.
    inject: () => runIn(boxes.edge, ["sh", "-c", `echo "${WRONG_NAME}" >> ${hostsOfEdge()}`]),
    // The same file, since it is mounted.
    heal: () =>
      runIn(boxes.edge, ["sh", "-c", 'kept=$(grep -v 100.64.0.99 "$0"); echo "$kept" > "$0"', hostsOfEdge()]),
  },
  {
    what: "the namespace's name for the node leads elsewhere",
    row: "magic-dns",
    says: /is 100\.64\.0\.99, and the node has/,
    inject: () => void docker("kvm", "exec", container("sidecar"), "sh", "-c", ADD_NAME),
    heal: () => void docker("kvm", "exec", container("sidecar"), "sh", "-c", TAKE_NAME),
  },
  {
    what: "what listens at the smarthost says nothing",
    row: "relay-smtp",
    says: /does not talk SMTP: no answer/,
    ...instead("mail", 587, MUTE, {
      before: () => stopSmarthost(layout),
      after: () => startSmarthost(layout),
    }),
  },
  {
    what: "the smarthost is closed for now",
    row: "relay-smtp",
    says: /greets with: 421/,
    ...instead("mail", 587, "(socket) => socket.end('421 4.3.2 closed for now\\r\\n')", {
      before: () => stopSmarthost(layout),
      after: () => startSmarthost(layout),
    }),
  },
  {
    what: "the admin port is open on the edge",
    row: "admin-closed",
    says: /something answers HTTP on .*:8080/,
    ...instead("edge", 8080, "(socket) => socket.end('HTTP/1.1 401 Unauthorized\\r\\n\\r\\n')"),
  },
  {
    what: "anybody may relay",
    row: "open-relay",
    says: /an open relay: .*250/,
    ...setting("session.rcpt.relay", "true"),
    line: "keys",
  },
  {
    what: "the grant to Postgres is taken away",
    row: "postgres",
    says: /does not resolve|times out/,
    ...withoutGrant(grantTo("tag:stalwart", "tag:db", "tcp:5432")),
  },
  {
    what: "the edge is no longer granted port 25",
    row: "edge",
    says: /no banner comes back/,
    ...withoutGrant(/(?<="dst": \["tag:stalwart"\], "ip": \[)"tcp:25", /),
  },
  {
    what: "the anchor is stopped",
    row: "namespace",
    says: /the anchor .* does not run/,
    ...stopped("kvm", "anchor"),
  },
  {
    what: "the edge's resolver is stopped",
    row: "edge-names",
    says: /does not resolve/,
    inject: () => stopDaemon({ machine: boxes.edge, name: "resolved" }),
    heal: () => startResolver(layout),
  },
  {
    what: "a firewall before the edge refuses mail",
    row: "port-25",
    says: /smtp does not serve/,
    ...cut(refusingPort(machines.edge, 25)),
  },
  {
    what: "a firewall before the edge refuses the web",
    row: "port-443",
    says: /https does not serve/,
    ...cut(refusingPort(machines.edge, 443)),
  },
  ...(["db", "mail", "edge"] as const).map((machine, at) => ({
    what: `the tailscaled of ${machine} is stopped`,
    row: ["postgres", "relay", "edge-names"][at] ?? "",
    says: /times out|does not resolve/,
    inject: () => stopDaemon({ machine: machines[machine], name: "tailscaled" }),
    async heal() {
      const node = NODES.find((each) => each.machine === machine);
      if (node) await joinTailnet(layout, node, endpointsOf(layout.tailnet));
    },
  })),
  {
    what: "the KVM host's Docker is stopped",
    row: "kvm-docker",
    says: /does not answer/,
    inject: () => stopDaemon({ machine: boxes.kvm, name: "dockerd" }, { timeout: 120_000 }),
    heal: () => startDocker(layout, boxes.kvm),
  },
  {
    what: "ssh to the KVM host does not answer",
    row: "kvm-docker",
    says: /does not answer: .*Connection refused/,
    async inject() {
      await stopDaemon({ machine: boxes.kvm, name: "sshd" });
      // Those that are open go on without it. Process ids are the machine's own.
      await runIn(boxes.kvm, ["pkill", "sshd"], { allowFailure: true });
    },
    heal: async () => startSshd(boxes.kvm, await prepareOperator(layout)),
  },
  {
    what: "the edge's Docker is stopped",
    row: "edge-docker",
    says: /does not answer/,
    inject: () => stopDaemon({ machine: boxes.edge, name: "dockerd" }),
    heal: () => startDocker(layout, boxes.edge),
  },
];
