/** One mail service: a listener of Stalwart and the port that the edge takes it on. */
export interface MailService {
  /** The listener's name in Stalwart. */
  name: string;
  /** Stalwart's name of the protocol. */
  protocol: "smtp" | "imap" | "pop3" | "managesieve" | "http";
  port: number;
  /** TLS from the first byte (RFC 8314), instead of STARTTLS. */
  implicitTls: boolean;
}

/** Every service that can be offered, by the name that the config uses. */
export const MAIL_SERVICES = {
  smtp: { name: "smtp", protocol: "smtp", port: 25, implicitTls: false },
  submissions: { name: "submissions", protocol: "smtp", port: 465, implicitTls: true },
  submission: { name: "submission", protocol: "smtp", port: 587, implicitTls: false },
  imap: { name: "imap", protocol: "imap", port: 143, implicitTls: false },
  imaps: { name: "imaps", protocol: "imap", port: 993, implicitTls: true },
  pop3s: { name: "pop3s", protocol: "pop3", port: 995, implicitTls: true },
  managesieve: { name: "managesieve", protocol: "managesieve", port: 4190, implicitTls: false },
  https: { name: "https", protocol: "http", port: 443, implicitTls: true },
} as const satisfies Record<string, MailService>;

/**
 * What is offered unless the config says otherwise: mail programs that need STARTTLS on 143, or
 * POP3, are few.
 */
export const DEFAULT_SERVICES = [
  "smtp",
  "submissions",
  "submission",
  "imaps",
  "managesieve",
  "https",
] as const satisfies (keyof typeof MAIL_SERVICES)[];

/**
 * Stalwart's admin listener: plain HTTP over the tailnet, and without PROXY protocol (decision 8).
 */
export const ADMIN_PORT = 8080;

/**
 * The listener that the entrypoint's watch asks for a greeting (decision 20). Stalwart counts
 * connections listener by listener (common/src/listener/limiter.rs), so a flood that fills a public
 * one leaves room here. Loopback alone reaches it: no route and no grant leads there, and so it
 * takes no PROXY header.
 */
export const WATCH_LISTENER = {
  name: "watch",
  protocol: "smtp",
  bind: "127.0.0.1",
  port: 10025,
  implicitTls: false,
  proxy: false,
} as const;
