import { isSecretName } from "./literals.ts";

/** What of an option's or an argument's value is the secret; undefined where it has none. */
export type SecretOf = (value: string) => string | undefined;

/** One letter that a program takes a secret by. Long options say it by their names. */
export interface PasswordOption {
  readonly flag: string;
  /** Whether the value is the next word, or stands right behind the letter. */
  readonly value: "next" | "attached" | "both";
  readonly secretOf: SecretOf;
  /** Whether the value is a header, whose own name says what the secret is. */
  readonly isHeader?: true;
}

export interface Program {
  readonly options: readonly PasswordOption[];
  /** The word after which the options hold: `docker run -p` publishes a port. */
  readonly after?: string;
  /** Whether a word that is no option ends the options, since another command begins there. */
  readonly runs?: true;
  /** Whether the letter may be the last of several: `curl -sSu`. */
  readonly bundles?: true;
}

const whole: SecretOf = (value) => value;
const behind =
  (mark: string): SecretOf =>
  (value) =>
    value.includes(mark) ? value.slice(value.indexOf(mark) + mark.length) : undefined;
/** OpenSSL's `pass:…`; its other sources are a file, a variable and standard input. */
const behindPass: SecretOf = (value) => /^pass:(.+)$/s.exec(value)?.[1];
/** `X-Postmark-Server-Token: …`; what Authorization says is told by its shape. */
const header: SecretOf = (value) => {
  const [, name = "", text] = /^([\w-]{1,80}):\s*(.*)$/s.exec(value) ?? [];
  return isSecretName(name) ? text : undefined;
};

const option = (
  flag: string,
  value: PasswordOption["value"],
  secretOf: SecretOf = whole,
): PasswordOption => ({ flag, value, secretOf });

const entries = (names: string, program: Program): [string, Program][] =>
  names.split(" ").map((name) => [name, program]);

/** Programs of mail, databases and registries that take a password by a letter, by their names. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map([
  // `-p` with a blank behind it asks for the password, and the next word is the database.
  ...entries(
    "mysql mysqladmin mysqldump mysqlcheck mysqlimport mysqlshow mariadb mariadb-admin mariadb-dump mariadb-check",
    { options: [option("-p", "attached")] },
  ),
  ...entries("mongo mongosh mongodump mongorestore mongoexport mongoimport cypher-shell", {
    options: [option("-p", "both")],
  }),
  ...entries("redis-cli valkey-cli keydb-cli", { options: [option("-a", "next")] }),
  ...entries("sshpass", { options: [option("-p", "both")], runs: true }),
  ...entries("curl", {
    options: [
      ...["-u", "-U"].map((flag) => option(flag, "both", behind(":"))),
      ...["--user", "--proxy-user"].map((flag) => option(flag, "next", behind(":"))),
      { ...option("-H", "both", header), isHeader: true },
      { ...option("--header", "next", header), isHeader: true },
    ],
    bundles: true,
  }),
  ...entries("docker podman nerdctl buildah skopeo helm oras crane", {
    options: [option("-p", "both")],
    after: "login",
  }),
  ...entries("ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare", {
    options: [option("-w", "both")],
  }),
  ...entries("ldappasswd", { options: ["-w", "-a", "-s"].map((flag) => option(flag, "both")) }),
  ...entries("smbclient rpcclient", { options: [option("-U", "both", behind("%"))] }),
  ...entries("openssl", {
    options: [
      option("-k", "next"),
      ...["-passin", "-passout"].map((flag) => option(flag, "next", behindPass)),
    ],
  }),
  ...entries("mosquitto_pub mosquitto_sub mosquitto_rr", { options: [option("-P", "both")] }),
  ...entries("swaks", { options: [option("-ap", "next")] }),
  ...entries("lftp", { options: [option("-u", "both", behind(","))] }),
  ...entries("stalwart-cli", { options: [option("-c", "both", behind(":"))] }),
  ...entries("7z 7za 7zz", { options: [option("-p", "attached")] }),
  ...entries("zip unzip", { options: [option("-P", "both")] }),
]);
