/** One mail service: a listener of Stalwart and the port that the edge takes it on. */
export interface MailService {
  /** The listener's name in Stalwart. */
  name: string;
  /** Stalwart's name of the protocol. */
  protocol: "smtp" | "imap" | "managesieve" | "http";
  port: number;
  /** TLS from the first byte (RFC 8314), instead of STARTTLS. */
  implicitTls: boolean;
}

/** Every service that can be offered, by the name that the config uses. */
export const MAIL_SERVICES = {
  smtp: { name: "smtp", protocol: "smtp", port: 25, implicitTls: false },
  submissions: { name: "submissions", protocol: "smtp", port: 465, implicitTls: true },
  submission: { name: "submission", protocol: "smtp", port: 587, implicitTls: false },
  imaps: { name: "imaps", protocol: "imap", port: 993, implicitTls: true },
  managesieve: { name: "managesieve", protocol: "managesieve", port: 4190, implicitTls: false },
  https: { name: "https", protocol: "http", port: 443, implicitTls: true },
} as const satisfies Record<string, MailService>;

/** Stalwart's admin listener: plain HTTP over the tailnet, and without PROXY protocol (decision 8). */
export const ADMIN_PORT = 8080;
