/** How programs spell the setting that names the host which takes their mail. */
import { portOf } from "../hosts.ts";

const LISTENS = /(?:^|_)(?:LISTEN|BIND|INBOUND|RECEIVE|HELO|TS|DERP)(?:_|$)/i;
/**
 * `RELAYHOST`, `DEFAULT_RELAY_HOST`, `EXTERNAL_RELAY_HOSTNAME`, `SMARTHOST_ADDRESS`, `mailhub`.
 * Only names that end so: behind a longer one (`RELAYHOST_PASSPHRASE`) may stand a secret.
 */
const RELAY =
  /^(?:RELAY|(?:\w+_)?(?:RELAY_?HOST(?:NAME|S)?|RELAY_(?:SERVER|ADDRESS)|SMART_?HOSTS?(?:_(?:HOST|SERVER|ADDRESS|FALLBACK))?|MAILHUB|(?:MAIL|MAILER|SMTP|MTA|POSTFIX|EXIM|STALWART|TAILWART|FALLBACK)_RELAY))$/i;
/** `GF_SMTP_HOST`, `MM_EMAILSETTINGS_SMTPSERVER`, `FORGEJO__mailer__SMTP_ADDR`, `mail_smtphost`. */
const SMTP = /SMTP_*(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS|HOST_ADDR)$/i;
/** Other hosts too in some images, so only beside a port or a login of the same name. */
const MAIL = /(?:^|_)E?MAIL(?:ER)?(?:_+OPTIONS)?_+(?:HOST|SERVER)$/i;

/** The place of the port that belongs to a host's setting. */
const HOST_WORD = /(?:host(?:name|_addr)?|server|addr(?:ess)?)(?=["')\]]*$)/i;
export const besidesOf = (name: string): string[] => [
  ...["port", "PORT", "Port"].map((word) => name.replace(HOST_WORD, word)),
  name.replace(/([)\]"']*)$/, "_PORT$1"),
];

/**
 * Whether a variable, or a key of a config file, holds a relay's host.
 *
 * @param has whether another setting is there beside it
 * @example namesRelay("DISCOURSE_SMTP_ADDRESS", () => false) // true
 */
export function namesRelay(name: string, has: (name: string) => boolean): boolean {
  if (LISTENS.test(name)) return false;
  if (RELAY.test(name) || SMTP.test(name)) return true;
  const stem = name.replace(/(?:HOST|SERVER)$/i, "");
  return (
    MAIL.test(name) && ["PORT", "USER", "USERNAME", "port", "auth__user"].some((word) => has(stem + word))
  );
}

/**
 * The hosts in a relay setting: `host`, `host:port`, `host::port` (Exim), `[host]:port` (Postfix:
 * no MX lookup), `smtp://user:password@host:port`, also several, separated by commas, semicolons or
 * blanks. What is not a host is not returned, since it could be a secret.
 */
export function hostsIn(setting: string): string[] {
  // The login first: a password may hold whatever parts hosts.
  const hosts = setting.split(/(?=\b[a-z][a-z0-9+.-]*:\/\/)/i).map((url) => url.replace(/^.*@/s, ""));
  return hosts
    .join(" ")
    .split(/[\s,;]+/)
    .flatMap((part) => {
      const authority = part.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/, "");
      const bracketed = /^\[([^\]]+)\](?::{1,2}\d+)?$/.exec(authority)?.[1];
      const bare =
        bracketed ??
        (/^[^:]*::?\d*$/.test(authority) && !authority.startsWith(":")
          ? authority.replace(/:.*$/, "")
          : authority);
      return bare === "" || /^(?:true|false|yes|no|on|off|none|null|\d{1,5})$/i.test(bare) ? [] : [bare];
    });
}

/** `smtp://`, `smtps://`, `submission://`: a relay, whatever its variable's name. */
export const isSmtpUrl = (text: string): boolean => /^(?:smtps?|submissions?)(?:\+\w+)?:\/\/\S+$/i.test(text);

/** An address of a mailbox, or what is listened on. */
const NO_HOST = /^(?:[^\s/@]+@[^\s/@]+|\[?::\]?(?::\d+)?|0\.0\.0\.0(?::\d+)?)$/;

/** The hosts that a setting of this name and text names; [] when it is no relay's. */
export function relaysNamed(name: string, text: string, has: (name: string) => boolean): string[] {
  if (isSmtpUrl(text)) return hostsIn(text);
  if (NO_HOST.test(text) || (text.includes("://") && !/:\/\/.*@/.test(text) && !RELAY.test(name))) return [];
  return namesRelay(name, has) ? hostsIn(text) : [];
}

const SCHEMES: Readonly<Record<string, number>> = { smtps: 465, submission: 587, submissions: 465 };

/** The port of a host in a setting: its own, the one beside, its scheme's, or 25. */
export function portIn(setting: string, host: string, beside: string | undefined): number {
  const at = setting.toLowerCase().indexOf(host.toLowerCase());
  const [, own] = /^\]?::?(\d{1,5})/.exec(setting.slice(at + host.length)) ?? [];
  const [, scheme = ""] =
    /([a-z]+)(?:\+\w+)?:\/\/[^\s,;]*$/i.exec(setting.slice(Math.max(0, at - 200), at)) ?? [];
  return portOf(own) ?? portOf(beside) ?? SCHEMES[scheme.toLowerCase()] ?? 25;
}
