import { describe, expect, test } from "vitest";
import { relayHostsOf } from "../../policies/facts/relays/relay-hosts.ts";
import type { PolicyResource } from "../../policies/framework/policy.ts";
import { CONTAINER } from "./resources.ts";

const resource = (type: string, props: object): PolicyResource => ({
  type,
  name: "app",
  urn: "urn",
  props: props as PolicyResource["props"],
  opts: {} as PolicyResource["opts"],
});
/** `host:port` of every relay that a resource names. */
const relays = (type: string, props: object): string[] =>
  (relayHostsOf(resource(type, props))?.hosts ?? []).map(({ host, port }) => `${host}:${port}`);
const byEnvs = (...envs: string[]): string[] => relays(CONTAINER, { envs });
const byFile = (file: string, content: string): string[] =>
  relays(CONTAINER, { uploads: [{ file, content }] });

describe("a relay is read from the variables of", () => {
  test.each([
    ["Authentik", ["AUTHENTIK_EMAIL__HOST=mx.example.org", "AUTHENTIK_EMAIL__PORT=587"], 587],
    ["BookStack and other Laravel programs", ["MAIL_HOST=mx.example.org", "MAIL_PORT=465"], 465],
    ["boky/postfix", ["RELAYHOST=[mx.example.org]:587"], 587],
    ["Chatwoot", ["SMTP_ADDRESS=mx.example.org", "SMTP_PORT=587"], 587],
    ["Discourse", ["DISCOURSE_SMTP_ADDRESS=mx.example.org", "DISCOURSE_SMTP_PORT=587"], 587],
    ["docker-mailserver", ["DEFAULT_RELAY_HOST=[mx.example.org]:587"], 587],
    ["Forgejo", ["FORGEJO__mailer__SMTP_ADDR=mx.example.org", "FORGEJO__mailer__SMTP_PORT=465"], 465],
    ["Ghost", ["mail__options__host=mx.example.org", "mail__options__port=587"], 587],
    [
      "GitLab",
      [
        "GITLAB_OMNIBUS_CONFIG=gitlab_rails['smtp_address'] = \"mx.example.org\"; gitlab_rails['smtp_port'] = 587",
      ],
      587,
    ],
    ["Grafana", ["GF_SMTP_HOST=mx.example.org:587"], 587],
    ["Healthchecks", ["EMAIL_HOST=mx.example.org", "EMAIL_HOST_USER=me", "EMAIL_PORT=587"], 587],
    ["juanluisbaptista/postfix", ["SMTP_SERVER=mx.example.org", "SMTP_PORT=587"], 587],
    ["Kimai", ["MAILER_URL=smtp://me:pass@mx.example.org:2525?encryption=tls"], 2525],
    ["Mailu", ["RELAYHOST=mx.example.org"], 25],
    ["Mastodon", ["SMTP_SERVER=mx.example.org", "SMTP_PORT=587"], 587],
    ["Mattermost", ["MM_EMAILSETTINGS_SMTPSERVER=mx.example.org", "MM_EMAILSETTINGS_SMTPPORT=587"], 587],
    ["n8n", ["N8N_SMTP_HOST=mx.example.org", "N8N_SMTP_PORT=465"], 465],
    ["namshi/smtp", ["SMARTHOST_ADDRESS=mx.example.org", "SMARTHOST_PORT=587"], 587],
    ["Nextcloud and Vaultwarden", ["SMTP_HOST=mx.example.org", "SMTP_PORT=465"], 465],
    ["Paperless", ["PAPERLESS_EMAIL_HOST=mx.example.org", "PAPERLESS_EMAIL_PORT=587"], 587],
    ["Plausible", ["SMTP_HOST_ADDR=mx.example.org"], 25],
    ["PeerTube", ["PEERTUBE_SMTP_HOSTNAME=mx.example.org", "PEERTUBE_SMTP_PORT=465"], 465],
    ["Authelia", ["AUTHELIA_NOTIFIER_SMTP_ADDRESS=submission://mx.example.org:587"], 587],
    ["Zitadel", ["ZITADEL_DEFAULTINSTANCE_SMTPCONFIGURATION_SMTP_HOST=mx.example.org:587"], 587],
    ["tecnativa/postfix-relay", ["MAIL_RELAY_HOST=mx.example.org", "MAIL_RELAY_PORT=587"], 587],
    ["an image of somebody's own", ["EXTERNAL_RELAY_HOSTNAME=mx.example.org"], 25],
  ])("%s", (_, envs, port) => {
    expect(byEnvs(...envs)).toEqual([`mx.example.org:${port}`]);
  });

  test.each([
    "SMTP_PORT=587",
    "SMTP_FROM_ADDRESS=info@example.org",
    "SMTP_ADDRESS=info@example.org",
    "SMTP_LISTEN_HOST=mx.example.org",
    "SMTP_BIND_ADDRESS=0.0.0.0",
    "SMTP_ADDRESS=::",
    "SMTP_DOMAIN=example.org",
    "RELAY_NETWORKS=10.0.0.0/8",
    "RELAYHOST_USERNAME=me",
    "RELAY_HOST=",
    "MAIL_HOST=mail.example.org", // its own name, where no port or login is beside it
    "MAILNAME=mx.example.org",
    "TS_RELAY_SERVER_PORT=40000",
    "NOSTR_RELAY_URL=wss://relay.example.org",
    "TURN_RELAY=203.0.113.5",
    "IMAP_HOST=mx.example.org",
  ])("but not from %s", (env) => {
    expect(byEnvs(env)).toEqual([]);
  });
});

describe("what stands beside a relay is never taken for its host:", () => {
  const PASSWORD = "Hunter2secret";
  test.each([
    ["a password of the same prefix", "RELAYHOST_PASSPHRASE"],
    ["a shared secret", "RELAY_PSK"],
    ["a password, numbered", "RELAYHOST_PASSWORD_1"],
    ["credentials", "SMTP_RELAY_CREDENTIALS"],
    ["a key", "RELAY_API_KEY_1"],
    ["something else called a relay", "RELAY_PUBLIC_IPV6"],
    ["a list of other relays", "RELAYS"],
  ])("%s (%s)", (_, name) => {
    expect(byEnvs(`${name}=${PASSWORD}`)).toEqual([]);
  });

  test.each([
    ["in a list of a login", "relayhost = smtp://user:pa,Hunter2secret,x@mx.example.org\nx = y\n"],
    ["in the same line of YAML", `mail:\n  {smtp_host: mx.example.org, smtp_password: ${PASSWORD}}\n`],
    ["on a command line", `SMTP_HOST=mx.example.org ./app --password ${PASSWORD}\n`],
    ["in the next command", `relayhost=mx.example.org && echo ${PASSWORD}\n`],
  ])("%s", (_, content) => {
    expect(byFile("/srv/file", content)).toEqual(["mx.example.org:25"]);
  });

  test("a login in a variable, whatever its password holds", () => {
    expect(byEnvs(`SMTP_RELAY_HOST=user:pa,${PASSWORD} x@mx.example.org:587`)).toEqual([
      "mx.example.org:587",
    ]);
  });
});

test.each([
  ["many relays", "relayhost=a\n".repeat(17_000)],
  ["a list that goes on", `relay_host=a${" ,".repeat(100_000)}x`],
  ["blanks", `smtp${" ".repeat(200_000)}x`],
  ["open brackets", "smtp [".repeat(30_000)],
  ["sections", "[smtp]\n".repeat(20_000)],
])("a hostile text is read in time: %s", (_, content) => {
  const start = performance.now();
  byFile("/srv/file", content);
  expect(performance.now() - start).toBeLessThan(3000); // it was minutes
});

describe("a relay is read from the config of", () => {
  const TLS = "mx.example.org:587";
  test.each([
    ["Postfix", "/etc/postfix/main.cf", "myhostname = a.example.org\nrelayhost = [mx.example.org]:587\n"],
    ["Postfix's fallback", "/etc/postfix/main.cf", "smtp_fallback_relay = [mx.example.org]:587\nx = y\n"],
    [
      "Exim on Debian",
      "/etc/exim4/update-exim4.conf.conf",
      "dc_eximconfig='smarthost'\ndc_smarthost='mx.example.org::587'\n",
    ],
    ["Exim's router", "/etc/exim4/exim.conf", "begin routers\n  route_list = * mx.example.org::587\n"],
    ["msmtp", "/etc/msmtprc", "defaults\ntls on\n\naccount x\nhost mx.example.org\nport 587\n"],
    ["ssmtp", "/etc/ssmtp/ssmtp.conf", "root=me\nmailhub=mx.example.org:587\n"],
    ["dma", "/etc/dma/dma.conf", "SMARTHOST mx.example.org\nSMARTHOST_PORT 587\n"],
    [
      "OpenSMTPD",
      "/etc/mail/smtpd.conf",
      'table x\naction "out" relay host smtp+tls://me@mx.example.org:587\n',
    ],
    ["sendmail", "/etc/mail/sendmail.mc", "dnl\ndefine(`SMART_HOST', `mx.example.org:587')dnl\n"],
    ["Alertmanager", "/etc/alertmanager.yml", "global:\n  smtp_smarthost: 'mx.example.org:587'\n"],
    [
      "Grafana",
      "/etc/grafana/grafana.ini",
      "[server]\nroot_url = x\n[smtp]\nenabled = true\nhost = mx.example.org:587\n",
    ],
    [
      "Nextcloud",
      "/config/config.php",
      "<?php\n$CONFIG = [\n 'mail_smtphost' => 'mx.example.org',\n 'mail_smtpport' => 587,\n];\n",
    ],
    ["Gitea", "/data/gitea/conf/app.ini", "[mailer]\nSMTP_ADDR = mx.example.org\nSMTP_PORT = 587\n"],
    ["Synapse", "/data/homeserver.yaml", "email:\n  smtp_host: mx.example.org\n  smtp_port: 587\n"],
    [
      "Authelia",
      "/config/configuration.yml",
      "notifier:\n  smtp:\n    address: 'submission://mx.example.org:587'\n    username: me\nserver:\n  address: 'tcp://:9091'\n",
    ],
    [
      "Vikunja",
      "/app/config.yml",
      "mailer:\n  enabled: true\n  host: mx.example.org\n\n  port: 587\nlog:\n  path: x\n",
    ],
    [
      "Zitadel",
      "/zitadel.yaml",
      'SMTPConfiguration:\n  SMTP:\n    Host: "mx.example.org:587" # ours\n    User: me',
    ],
    [
      "Stalwart, nested",
      "/opt/stalwart/etc/config.toml",
      '[queue.route."out"]\ntype = "relay"\naddress = "mx.example.org"\nport = 587\n',
    ],
    [
      "Stalwart, flat",
      "/opt/stalwart/etc/config.toml",
      'queue.route.out.type = "relay"\nqueue.route.out.address = "mx.example.org"\nqueue.route.out.port = 587\n',
    ],
    [
      "Stalwart before 0.14",
      "/opt/stalwart-mail/etc/config.toml",
      '[remote.out]\naddress = "mx.example.org"\nport = 587\nprotocol = "smtp"\n',
    ],
    [
      "Stalwart, as a plan",
      "/opt/plan.ndjson",
      '{"@type":"create","object":"MtaRoute","value":{"r":{"@type":"Relay","address":"mx.example.org","port":587}}}\n{"@type":"destroy"}\n',
    ],
  ])("%s", (_, file, content) => {
    expect(byFile(file, content)).toEqual([TLS]);
  });

  test.each([
    ["a comment", "/etc/postfix/main.cf", "# relayhost = [mx.example.org]:587\nmyhostname = a\n"],
    ["an empty setting", "/etc/postfix/main.cf", "relayhost =\nmydestination = localhost\n"],
    [
      "a route that is no relay",
      "/opt/stalwart/etc/config.toml",
      '[queue.route.x]\ntype = "mx"\naddress = "mx.example.org"\n',
    ],
    [
      "a macro that Stalwart fills in",
      "/opt/stalwart/etc/config.toml",
      '[queue.route.x]\ntype = "relay"\naddress = "%{env:RELAY}%"\n',
    ],
    ["the ports of a relay", "/etc/postfix/main.cf", "smtp_relay_port = 587\nx = y\n"],
    ["prose", "/srv/README.md", "Mail leaves by the relay host of the office.\nSee the handbook.\n"],
    [
      "a compose service",
      "/srv/compose.yml",
      "services:\n  smtp:\n    hostname: mx.example.org\n    image: x:1\n",
    ],
    ["what follows a block", "/srv/x.yml", "smtp:\n  tls: true\ndatabase:\n  host: mx.example.org\n"],
    ["a block of a server's own", "/srv/x.yml", "  smtp:\n    enabled: true\n  host: mx.example.org\n"],
    ["a Host of SSH's", "/root/.ssh/config", "Host mx.example.org\n  Port 587\n"],
  ])("but not from %s", (_, file, content) => {
    expect(byFile(file, content)).toEqual([]);
  });

  test("a mail program that lies on the deployer's disk is not judged", () => {
    const uploads = [{ file: "/etc/postfix/main.cf", source: "./main.cf" }];
    expect(relayHostsOf(resource(CONTAINER, { uploads }))?.gaps).toHaveLength(1);
  });
});

test.each([
  ["postconf", { create: 'postconf -e "relayhost = [mx.example.org]:587"\npostfix reload' }],
  [
    "a file by heredoc",
    { create: "cat > /etc/msmtprc <<EOF\naccount x\nhost mx.example.org\nport 587\nEOF\n" },
  ],
  [
    "a plan on stdin",
    { create: "stalwart-cli apply", stdin: '{"@type":"Relay","address":"mx.example.org","port":587}' },
  ],
])("a relay is read from a command: %s", (_, props) => {
  expect(relays("command:remote:Command", props)).toEqual(["mx.example.org:587"]);
});
