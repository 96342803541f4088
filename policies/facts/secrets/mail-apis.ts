/**
 * The keys of the services that take mail by an API or a login, as each of them makes them. Those
 * without a shape of their own (Postmark, Mailjet, SparkPost) are told by their names.
 */
export const MAIL_APIS: readonly (readonly [what: string, ...shapes: RegExp[]])[] = [
  ["a SendGrid key", /(?<!\w)SG\.[\w-]{22}\.[\w-]{43}(?![\w-])/g],
  // The first is Mailgun's old one, which is still valid; `pubkey-` is meant to be seen.
  ["a Mailgun key", /(?<![\w-])(?:key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})(?![\w-])/g],
  ["a Brevo key", /(?<!\w)x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z\d]{16}(?!\w)/g],
  ["a Resend key", /(?<!\w)re_[A-Za-z\d]{8}_[A-Za-z\d]{24}(?!\w)/g],
  ["a MailerSend token", /(?<!\w)mlsn\.[0-9a-f]{64}(?!\w)/g],
  ["a MailerSend SMTP password", /(?<!\w)mssp\.[A-Za-z\d]{7}\.[a-z\d]{16}\.[A-Za-z\d]{7}(?!\w)/g],
  // The first byte of 33 is the version, 2 or 4. The user beside it is the id of an AWS key.
  [
    "an Amazon SES login",
    /(?<![\w/+])(?:A[g-v]|B[A-P])[A-Za-z\d/+]{42}(?![\w/+=])/g,
    /(?<![A-Z\d])AKIA[A-Z2-7]{16}(?![A-Z\d])/g,
  ],
];
