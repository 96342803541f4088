import { describe, expect, test } from "vitest";
import { secretsNotInPlainSight as policy } from "../../policies/rules/secrets-not-in-plain-sight.ts";
import { PASSED, runPolicy, type Outcome } from "./harness.ts";

/** No key that anybody has: letters and digits in a row. */
const hex = (length: number): string => "0f1e2d3c4b5a6978".repeat(8).slice(0, length);
const mixed = (length: number): string => "aB3dE6gH9jK2mN5pQ8".repeat(8).slice(0, length);
const ses = (start: string): string => `${start}${mixed(42)}`;
const ID = `AKIA${"ABCD".repeat(4)}`;
const UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

const say = (props: object): Promise<Outcome> =>
  runPolicy(policy, { type: "docker:index/container:Container", props });
/** The five places where people put a key, the value alone or in a text around it. */
const places = (value: string): [string, object][] => [
  ["a variable whose name says nothing", { envs: [`MAIL_RELAY_LOGIN_OF_US=${value}`] }],
  ["a command", { command: ["sh", "-c", `swaks --server smtp.example.org -x "${value}"`] }],
  ["a label", { labels: [{ label: "app.mail", value }] }],
  ["a file", { uploads: [{ file: "/etc/app.conf", content: `first\nmail: ${value} # of ours\n` }] }],
  ["JSON", { uploads: [{ file: "/etc/app.json", content: JSON.stringify({ mail: [value] }) }] }],
];

const KEYS: [what: string, key: string][] = [
  ["a SendGrid key", `SG.${mixed(22)}.${mixed(21)}-${mixed(21)}`],
  ["a Mailgun key", `key-${hex(32)}`],
  ["a Mailgun key", `${hex(32)}-${hex(8)}-${hex(8)}`],
  ["a Brevo key", `xkeysib-${hex(64)}-${mixed(16)}`],
  ["a Brevo key", `xsmtpsib-${hex(64)}-${mixed(16)}`],
  ["a Resend key", `re_${mixed(8)}_${mixed(24)}`],
  ["a MailerSend token", `mlsn.${hex(64)}`],
  ["a MailerSend SMTP password", `mssp.${mixed(7)}.${hex(16)}.${mixed(7)}`],
  ["an Amazon SES login", `${ID}:${ses("BA")}`],
  ["an Amazon SES login", `${ID} ${ses("Ag")}`],
  ["an Authorization header", `Authorization: ${hex(40)}`],
];

describe.each(KEYS)("%s such as %s is seen in", (what, key) => {
  test.each(places(key))("%s", async (_, props) => {
    const { violations } = await say(props);
    expect(violations).toEqual([expect.stringContaining(`holds ${what} as plain text`)]);
    expect(violations[0]).not.toContain(key.slice(-12));
  });
});

describe("what only begins like a key of a mail service is none:", () => {
  test.each([
    ["a masked one of SendGrid", `SG.${"x".repeat(22)}.${"x".repeat(43)}`],
    ["a domain of Singapore", "SG.example.org"],
    ["one of SendGrid that is too short", `SG.${mixed(21)}.${mixed(43)}`],
    ["a longer word that ends like it", `MSG.${mixed(22)}.${mixed(43)}`],
    ["one of SendGrid with more behind", `SG.${mixed(22)}.${mixed(43)}abc`],
    ["Mailgun's public one", `pubkey-${hex(32)}`],
    ["the name of a cache's entry", `cache-key-${hex(32)}`],
    ["one of Mailgun that is too short", `key-${hex(31)}`],
    ["a UUID", UUID],
    ["a masked one of Mailgun", `key-${"x".repeat(32)}`],
    ["a masked one of Brevo", "xkeysib-xxxxxxxx"],
    ["Brevo's word alone", "xsmtpsib-"],
    ["one of Brevo without its end", `xkeysib-${hex(64)}`],
    ["a hash behind Brevo's word", `xkeysib-${hex(64)}-`],
    ["the placeholder of Brevo", "xsmtpsib-your_brevo_smtp_key_here"],
    ["the example of Resend", "re_123456789"],
    ["a masked one of Resend", `re_${"x".repeat(8)}_${"x".repeat(24)}`],
    ["a function that starts like it", `re_validate_the_names_of_all_of_them`],
    ["a longer word that ends like it", `core_${mixed(8)}_${mixed(24)}`],
    ["one of Resend that is too long", `re_${mixed(8)}_${mixed(25)}`],
    ["MailerSend's word alone", "mlsn."],
    ["a masked one of MailerSend", "mlsn.xxxxxxxxxxxx"],
    ["one of MailerSend that is too short", `mlsn.${hex(63)}`],
    ["a package of that name", "tech.mlsn.temandonor"],
    ["a password of MailerSend without its end", `mssp.${mixed(7)}.${hex(16)}`],
    ["base64 of that length without an AWS key", ses("BA")],
    ["base64 that is no login of SES", `${ID} ${ses("CA")}`],
    ["the id of an AWS key beside a short word", `${ID} ${mixed(43)}`],
    ["a reference beside it", `${ID}:\${SES_SMTP_PASSWORD}`],
    ["a commit", hex(40)],
    ["a header with a variable", "Authorization: $SPARKPOST_API_KEY"],
    ["a header with a placeholder", "Authorization: {env.SPARKPOST_API_KEY}"],
    ["a header with a longer hash", `Authorization: ${hex(64)}`],
    ["a header whose key is masked", `Authorization: ${"x".repeat(40)}`],
  ])("%s", async (_, value) => {
    for (const [place, props] of places(value)) expect([place, await say(props)]).toEqual([place, PASSED]);
  });
});

describe("keys that have no shape are told by their name:", () => {
  test.each([
    `POSTMARK_SERVER_TOKEN=${UUID}`,
    `POSTMARK_API_TOKEN=${UUID}`,
    `POSTMARK_API_KEY=${UUID}`,
    `POSTMARK_KEY=${UUID}`,
    `POSTMARK_SERVER_SECRET=${UUID}`,
    `MJ_APIKEY_PRIVATE=${hex(32)}`,
    `MAILJET_SECRET_KEY=${hex(32)}`,
    `MAILJET_API_SECRET=${hex(32)}`,
    `MAILJET_KEY=${hex(32)}`,
    `MAILJET_PASSWORD=${hex(32)}`,
    `SPARKPOST_API_KEY=${hex(40)}`,
    `SPARKPOST_SECRET=${hex(40)}`,
    `SPARKPOST_KEY=${hex(40)}`,
    `MAIL_SPARKPOST_APIKEY=${hex(40)}`,
    `SPARKPOST_TOKEN=${hex(40)}`,
    `SES_SMTP_PASSWORD=${ses("BA")}`,
    `AWS_SES_SMTP_PASS=${ses("BA")}`,
    `SMTP_PASSWORD=${ses("BA")}`,
    `MAIL_PASSWORD=${ses("BA")}`,
    `SES_SMTP_PWD=${ses("BA")}`,
    `SENDGRID_KEY=opensesame`,
    `SMTP_KEY=opensesame`,
    `RESEND_KEY=opensesame`,
  ])("%s", async (env) => {
    const name = env.slice(0, env.indexOf("="));
    for (const props of [
      { envs: [env] },
      { uploads: [{ file: "/app/.env", content: `# mail\n${env}\n` }] },
      { command: ["sh", "-c", `export ${env}; exec app`] },
    ]) {
      const { violations } = await say(props);
      expect(violations).toEqual([expect.stringContaining(name)]);
      expect(violations[0]).not.toContain(env.slice(name.length + 1));
    }
  });

  test.each([
    "POSTMARK_SERVER_TOKEN=${POSTMARK_SERVER_TOKEN}",
    "POSTMARK_SERVER_TOKEN_FILE=/run/secrets/postmark",
    "POSTMARK_API_TOKEN=POSTMARK_API_TEST",
    "POSTMARK_SERVER_TOKEN=<your server token>",
    `POSTMARK_MESSAGE_STREAM=${UUID}`,
    `MJ_APIKEY_PUBLIC=${hex(32)}`,
    "MJ_APIKEY_PRIVATE=$MAILJET_PRIVATE",
    "MAILJET_SECRET_KEY=/run/secrets/mailjet",
    "MAILJET_API_SECRET=op://mail/mailjet/secret",
    "MAILJET_SENDER=mail@example.org",
    "SPARKPOST_API_KEY=${SPARKPOST_API_KEY:?}",
    "SPARKPOST_API_KEY=vault:secret/data/mail#sparkpost",
    "SPARKPOST_API_KEY=****************",
    "SPARKPOST_KEY_FILE=/run/secrets/sparkpost",
    "SPARKPOST_ENDPOINT=https://api.eu.sparkpost.com",
    "SES_SMTP_PASSWORD=arn:aws:secretsmanager:eu-central-1:123456789012:secret:mail/ses-a1B2c3",
    "SES_SMTP_PASSWORD_FILE=/run/secrets/ses",
    `SES_SMTP_USERNAME=${ID}`,
    "SES_SMTP_PASSWORD={{ ses_password }}",
    "AWS_SES_SMTP_PASS=",
    "SMTP_KEY=/etc/ssl/private/smtp.key",
    "SENDGRID_KEY_ID=abcdefgh1234",
  ])("not %s", async (env) => {
    expect(await say({ envs: [env] })).toEqual(PASSED);
    expect(await say({ uploads: [{ file: "/app/.env", content: `# mail\n${env}\n` }] })).toEqual(PASSED);
  });
});
