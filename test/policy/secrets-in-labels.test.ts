import { describe, expect, test } from "vitest";
import { secretsNotInPlainSight as policy } from "../../policies/rules/secrets-not-in-plain-sight.ts";
import { PASSED, runPolicy, secret, type Outcome } from "./harness.ts";

const X = "Hunter2hunter";
const TOKEN = "wQ3nV8kLz0Tt5YhJ2mXc7RbP";
const APR1 = "$apr1$abcdefgh$ijklmnopqrstuvwxyz0123";
const BCRYPT = "$2a$14$Qw3rTy7uIoP1aSdFgH5jKelZ9xCvBnM2qWeRtYuIoPaSdFgHjKlZx";
const LOGIN = "holds a user with the password";

const say = (label: string, value: unknown): Promise<Outcome> =>
  runPolicy(policy, { type: "docker:index/container:Container", props: { labels: [{ label, value }] } });

describe("a label gives a secret away:", () => {
  test.each([
    ["traefik.http.middlewares.auth.basicauth.users", `alice:${X}`, LOGIN],
    ["traefik.http.middlewares.a.basicAuth.users", `alice:${APR1},bob:${X}`, LOGIN],
    ["app.basic-auth", `alice:${X}`, LOGIN],
    ["app.basic_auth", `alice:${X}`, LOGIN],
    ["org.example.login", `alice@example.org:${X}`, LOGIN],
    ["com.example.http-auth", `alice:${X}`, LOGIN],
    ["caddy.basic_auth.alice", X, LOGIN],
    ["caddy_1.basicauth.alice", X, LOGIN],
    ["caddy.handle.0_basic_auth.alice", `bcrypt ${X}`, LOGIN],
    ["caddy.tls.dns", `hetzner ${TOKEN}`, "gives dns as plain text"],
    ["caddy_0.tls.dns", `cloudflare ${TOKEN}`, "gives dns as plain text"],
    ["caddy.acme_dns", `cloudflare ${TOKEN}`, "gives acme_dns as plain text"],
    ["caddy.tls.0_dns", `ovh ${TOKEN}`, "gives dns as plain text"],
    ["caddy.tls.dns.api_token", TOKEN, "gives api_token as plain text"],
    ["traefik.http.middlewares.h.headers.customrequestheaders.Authorization", `Basic ${TOKEN}`, "header"],
    ["traefik.http.middlewares.h.headers.customrequestheaders.Authorization", `Bearer ${TOKEN}`, "header"],
    ["traefik.http.middlewares.h.headers.customrequestheaders.X-Api-Key", TOKEN, "by its name"],
    ["caddy.reverse_proxy.header_up", `Authorization "Bearer ${TOKEN}"`, "an Authorization header"],
    ["app.authorization", `Token ${TOKEN}`, "an Authorization header"],
    ["homepage.widget.key", TOKEN, "is a secret by its name"],
    ["homepage.widgets[0].key", TOKEN, "is a secret by its name"],
    ["homepage.instance.private.widget.key", TOKEN, "is a secret by its name"],
    ["homepage.widget.password", X, "is a secret by its name"],
    ["kuma.mail.http.basic_auth_pass", X, "is a secret by its name"],
    ["ofelia.job-exec.dump.command", `mysqldump -uroot -p${X} --all-databases`, "a password to mysqldump"],
    ["app.smtp", `smtp://alice:${X}@mx.example.org`, "a URL with its password"],
  ])("%s=%s", async (label, value, what) => {
    const { violations } = await say(label, value);
    expect(violations).toEqual([expect.stringContaining(what)]);
    expect(violations[0]).toContain(`labels[0].value (${label})`);
    expect(violations[0]).not.toMatch(`${X}|${TOKEN}`);
    expect(await say(label, secret(value))).toEqual(PASSED);
  });

  test.each([
    ["traefik.http.middlewares.auth.basicauth.users", `alice:${APR1}`],
    ["traefik.http.middlewares.auth.basicauth.users", `alice:${APR1.replaceAll("$", "$$$$")}`],
    [
      "traefik.http.middlewares.auth.basicauth.users",
      `alice:${BCRYPT},bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=`,
    ],
    ["traefik.http.middlewares.auth.basicauth.users", "alice:${ALICE_HASH},bob:$BOB_HASH"],
    ["traefik.http.middlewares.auth.basicauth.usersfile", "/run/secrets/users"],
    ["traefik.http.middlewares.auth.digestauth.users", "alice:traefik:a2688e031edb4be6a3797f3882655c05"],
    ["traefik.http.routers.app.middlewares", "auth@docker,login@file"],
    ["app.basic-auth", "alice:$2y$05$abcdefghijklmnopqrstuv"],
    ["app.auth", "localhost:9091"],
    ["app.login", "false"],
    ["caddy.basic_auth", "bcrypt"],
    ["caddy.basic_auth.alice", BCRYPT],
    ["caddy.basic_auth.alice", BCRYPT.replaceAll("$", "$$$$")],
    ["caddy.basicauth.alice", Buffer.from(BCRYPT).toString("base64")],
    ["caddy.basicauth.alice", "{$ALICE_HASH}"],
    ["caddy.basic_auth", "/private/* bcrypt"],
    ["caddy.tls.dns", "hetzner {env.HETZNER_TOKEN}"],
    ["caddy.acme_dns", "cloudflare {$CF_API_TOKEN}"],
    ["caddy.tls.dns", "rfc2136"],
    ["caddy.reverse_proxy", "{{upstreams 8080}}"],
    ["caddy.reverse_proxy.header_up", "Host {upstream_hostport}"],
    ["app.dns", `hetzner ${TOKEN.slice(0, 12)}`],
    ["traefik.http.middlewares.h.headers.customrequestheaders.Authorization", "Bearer ${API_TOKEN}"],
    ["homepage.widget.key", "{{HOMEPAGE_VAR_JELLYFIN_KEY}}"],
    ["homepage.widget.key", "********"],
    ["homepage.widget.type", "jellyfin"],
    ["homepage.weight.key", "abcdefghijkl"],
    ["kuma.mail.http.basic_auth_user", "alice"],
    ["ofelia.job-exec.dump.command", "sh -c 'mysqldump -p$MYSQL_ROOT_PASSWORD'"],
    ["com.example.key", "abcdefghijkl"],
  ])("not %s=%s", async (label, value) => {
    expect(await say(label, value)).toEqual(PASSED);
  });
});

describe("a hash is no password, whatever made it:", () => {
  test.each([
    "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVk:c2VydmVy",
    "SCRAM-SHA-1$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
    "{SCRAM-SHA-256}4096,c2FsdA==,c3RvcmVk,c2VydmVy",
    "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuv",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA",
    "{PBKDF2}$1$abc$5000$def",
    "{SSHA256}abcdefgh",
    "{SMD5}abcdefgh",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "$$argon2id$$v=19$$m=65536,t=3,p=4$$c2FsdA$$aGFzaA",
    "$$2y$$05$$abcdefghijklmnopqrstuv",
    "$1$saltsalt$abcdefghijklmnopqrstuv",
    "$apr1$abcdefgh$ijklmnopqrstuvwxyz0123",
    "md5a2688e031edb4be6a3797f3882655c05",
  ])("%s", async (hash) => {
    expect(await say("app.password", hash)).toEqual(PASSED);
    expect(await say("app.auth", `alice:${hash}`)).toEqual(PASSED);
  });

  test.each([
    "SCRAM-SHA-256",
    "md5opensesame",
    "{SESAME}open",
    "$argon",
    "JDJhJDopensesame",
    "{PLAIN}sesame",
  ])("%s is none", async (text) => {
    expect((await say("app.password", text)).violations).toHaveLength(1);
  });
});
