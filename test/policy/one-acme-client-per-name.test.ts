import { describe, expect, test } from "vitest";
import { oneAcmeClientPerName as policy } from "../../policies/rules/one-acme-client-per-name.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { base64, CONTAINER, resource } from "./resources.ts";

const settings = (keys: unknown, hostname = "mail.example.org") =>
  resource("tailwart:mail:Settings", "settings", {
    settings: keys,
    fileSettings: { "server.hostname": hostname },
  });
const acme = (id: string, ...names: unknown[]): object => ({
  [`acme.${id}.directory`]: "https://acme-v02.api.letsencrypt.org/directory",
  [`acme.${id}.challenge`]: "dns-01",
  ...Object.fromEntries(names.map((name, i) => [`acme.${id}.domains.000${i}`, name])),
});
const component = (...clients: unknown[]) =>
  resource("tailwart:mail:MailSettings", "component", {
    settings: { hostname: "mail.example.org", acme: clients },
  });

const site = (host: string): object => ({ match: [{ host: [host] }], handle: [{ handler: "file_server" }] });
interface Parts {
  readonly hosts?: string[];
  readonly web?: object;
  readonly tls?: object;
  readonly root?: object;
}
const config = ({ hosts = [], web = {}, tls, root = {} }: Parts): string =>
  JSON.stringify({
    ...root,
    apps: {
      http: { servers: { web: { listen: [":443"], routes: hosts.map(site), ...web } } },
      ...(tls && { tls }),
    },
  });
const caddy = (parts: Parts | string, name = "edge", more: object = {}) =>
  resource(CONTAINER, name, {
    uploads: [
      typeof parts === "string"
        ? { file: "/etc/caddy/Caddyfile", content: parts }
        : { file: "/etc/caddy/caddy.json", content: config(parts) },
    ],
    ...more,
  });
const stack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);
const PLACE = "uploads[0].content (/etc/caddy/caddy.json)";

describe("one-acme-client-per-name refuses in one resource", () => {
  test("two ACME clients of Stalwart for one name, and says where, what, why and what to write instead", async () => {
    const keys = { ...acme("a", "mail.example.org"), ...acme("b", "other.example.org", "Mail.Example.org.") };
    const { violations } = await runPolicy(policy, settings(keys));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      'settings["acme.b.domains.0001"] orders mail.example.org, which another ACME client of Stalwart orders (settings["acme.a.domains.0000"]).',
    );
    expect(violations[0]).toMatch(/why: .*budget of duplicates.*lesson 7/);
    expect(violations[0]).toMatch(/instead: the name at one ACME client alone/);
  });

  test("an empty list and the wildcard that it stands for", async () => {
    const { violations } = await runPolicy(policy, settings({ ...acme("a"), ...acme("b", "*.example.org") }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("orders *.example.org");
  });

  test("the same in the component's args", async () => {
    const outcome = await runPolicy(
      policy,
      component({ names: ["mail.example.org"] }, { names: ["mail.example.org"] }),
    );
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.violations[0]).toContain("settings.acme[1].names[0] orders mail.example.org");
  });

  test("one name twice beside unknown ones, which are listed, and a secret, which is not repeated", async () => {
    const keys = { ...acme("a", "mail.example.org", UNKNOWN), ...acme("b", "mail.example.org") };
    const outcome = await runPolicy(
      policy,
      settings({ ...keys, "acme.a.secret": secret("correct-horse-battery") }),
    );
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(['settings["acme.a.domains.0001"]: unknown until the update']);
    expect(outcome.blind).toBeUndefined();
  });
});

describe("one-acme-client-per-name leaves alone in one resource", () => {
  test.each([
    ["different names", { ...acme("a", "mail.example.org"), ...acme("b", "mail.example.net") }],
    ["one client with one name twice", acme("a", "mail.example.org", "mail.example.org")],
    ["one client with an unknown name", acme("a", UNKNOWN)],
    ["no client", {}],
  ])("%s", async (_, keys) => {
    expect(await runPolicy(policy, settings(keys))).toMatchObject(PASSED);
  });

  test("any other resource", async () => {
    const outcome = await runPolicy(policy, caddy({ hosts: ["mail.example.org"] }));
    expect(outcome.notApplicable).toMatch(/only tailwart:mail:Settings/);
  });
});

describe("one-acme-client-per-name refuses over a stack what Stalwart orders too", () => {
  const stalwart = settings(acme("le", "mail.example.org", "mta-sts.example.org"));

  test("a site of Caddy, for which automatic HTTPS orders", async () => {
    const { violations } = await stack(stalwart, caddy({ hosts: ["www.example.org", "mail.example.org"] }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `${PLACE} apps.http.servers.web.routes[1].match[0].host[0] orders a certificate for mail.example.org, which Stalwart orders too (settings["acme.le.domains.0000"])`,
    );
  });

  const automate = (policies: object[], names = ["mail.example.org"]): object => ({
    certificates: { automate: names },
    automation: { policies },
  });
  test.each([
    ["a list of names", { tls: { certificates: { automate: ["mail.example.org"] } } }, "automate[0]"],
    [
      "a policy",
      { tls: { automation: { policies: [{ subjects: ["mta-sts.example.org"] }] } } },
      "subjects[0]",
    ],
    ["ZeroSSL", { tls: automate([{ issuers: [{ module: "zerossl" }] }]) }, "automate[0]"],
    [
      "a name that is not public, where ACME is asked for",
      {
        tls: automate([{ issuers: [{ module: "acme", ca: "https://ca.internal" }] }], ["mail.corp.internal"]),
      },
      "automate[0]",
    ],
    [
      "a site beside files that are asked to be ignored elsewhere",
      { hosts: ["mail.example.org"], web: { tls_connection_policies: [{}], listen: [":8443"] } },
      "host[0]",
    ],
  ] as [string, Parts, string][])("%s", async (_, parts, where) => {
    const own = settings(acme("le", "mail.example.org", "mta-sts.example.org", "mail.corp.internal"));
    const { violations } = await stack(own, caddy(parts));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(where);
  });

  test.each([
    "mail.example.org {\n respond ok\n}",
    "mail.example.org\nrespond ok",
    "a.example.org, mail.example.org {\n tls ops@example.org\n}",
    "mail.example.org {\n tls {\n issuer acme\n }\n}",
    "{\n cert_issuer acme\n}\nhttps://mail.example.org:8443 {\n}",
  ])("the Caddyfile's site %j", async (text) => {
    const { violations } = await stack(stalwart, caddy(text));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("orders a certificate for mail.example.org");
  });

  test("a name that Stalwart's wildcard, also that of an empty list, is for", async () => {
    for (const client of [acme("le", "*.example.org"), acme("le")]) {
      const names = ["mail.example.org", "autoconfig.example.org", "*.example.org"];
      const { violations } = await stack(
        settings(client),
        caddy({ tls: { certificates: { automate: names } } }),
      );
      expect(violations).toHaveLength(3);
    }
  });

  test("by the component's args, and once where both are there", async () => {
    const args = component({ names: ["mail.example.org"] });
    const edge = caddy({ hosts: ["mail.example.org"] });
    expect((await stack(args, edge)).violations).toHaveLength(1);
    expect((await stack(args, stalwart, edge)).violations).toHaveLength(1);
    const unknown = component({ names: UNKNOWN_OBJECT });
    expect(await stack(unknown, stalwart, caddy({ hosts: ["www.example.org"] }))).toMatchObject(PASSED);
  });

  test("a config in a command, in a heredoc and base64, and a secret one", async () => {
    const text = base64(config({ hosts: ["mail.example.org"] }));
    const create = `sh <<'EOF'\necho ${text} | base64 -d > /etc/caddy/caddy.json\nEOF`;
    const { violations } = await stack(stalwart, { type: "command:remote:Command", props: { create } });
    expect(violations).toHaveLength(1);
    const upload = { uploads: [{ file: "/c.json", contentBase64: secret(text) }] };
    expect((await stack(stalwart, { type: CONTAINER, props: upload })).violations).toHaveLength(1);
  });
});

describe("one-acme-client-per-name leaves alone over a stack", () => {
  const stalwart = settings(acme("le", "mail.example.org", "*.example.net"));

  test.each([
    ["other names", { hosts: ["www.example.org"] }],
    ["a web site below Stalwart's wildcard", { hosts: ["www.example.net", "example.net"] }],
    ["a wildcard of its own", { hosts: ["*.example.org"] }],
    ["a mail name of another domain", { hosts: ["autoconfig.example.com"] }],
    [
      "a site below a wildcard of its own",
      { hosts: ["mail.example.org"], tls: { certificates: { automate: ["*.example.org"] } } },
    ],
    ["a plain site", { hosts: ["mail.example.org"], web: { listen: [":80"] } }],
    [
      "a site without automatic HTTPS",
      { hosts: ["mail.example.org"], web: { automatic_https: { disable: true } } },
    ],
    [
      "one without certificates",
      { hosts: ["mail.example.org"], web: { automatic_https: { disable_certificates: true } } },
    ],
    [
      "one that is skipped",
      { hosts: ["mail.example.org"], web: { automatic_https: { skip_certificates: ["mail.example.org"] } } },
    ],
    [
      "one whose certificate may be in a file",
      { hosts: ["mail.example.org"], tls: { certificates: { load_files: [{}] } } },
    ],
    [
      "an internal issuer",
      {
        hosts: ["mail.example.org"],
        tls: { automation: { policies: [{ issuers: [{ module: "internal" }] }] } },
      },
    ],
    [
      "one that a program hands certificates to",
      {
        hosts: ["mail.example.org"],
        tls: { automation: { policies: [{ get_certificate: [{ via: "http" }] }] } },
      },
    ],
    [
      "a name that only a nested route matches",
      { web: { routes: [{ handle: [{ handler: "subroute", routes: [site("mail.example.org")] }] }] } },
    ],
  ] as [string, Parts][])("%s", async (_, parts) => {
    expect(await stack(stalwart, caddy(parts))).toMatchObject(PASSED);
  });

  test.each([
    "mail.example.org {\n tls internal\n}",
    "mail.example.org {\n tls /c.pem /k.pem\n}",
    "http://mail.example.org {\n}",
    "{\n auto_https off\n}\nmail.example.org {\n}",
    "{\n auto_https disable_certs\n}\nmail.example.org {\n}",
    "{\n local_certs\n}\nmail.example.org {\n}",
  ])("the Caddyfile's site %j", async (text) => {
    expect(await stack(stalwart, caddy(text))).toMatchObject(PASSED);
  });

  test("names that are not public", async () => {
    const own = settings(acme("le", "localhost", "mail.internal", "192.0.2.1", "mail.tail7b1641.ts.net"));
    const hosts = ["localhost", "mail.internal", "192.0.2.1", "mail.tail7b1641.ts.net"];
    expect(await stack(own, caddy({ hosts }))).toMatchObject(PASSED);
  });

  test("a stack without Caddy", async () => {
    expect((await stack(stalwart)).notApplicable).toBe("no Caddy config is in it");
  });
});

describe("one-acme-client-per-name and a second Caddy", () => {
  const one = caddy({ hosts: ["www.example.org"] }, "one");
  const other = (more: object = {}, parts: Parts = {}): TestResource =>
    caddy({ hosts: ["a.example.org", "www.example.org"], ...parts }, "two", more);
  const remote = (name: string, connection: object, more: object = {}): TestResource => ({
    type: "command:remote:Command",
    name,
    props: {
      create: `cat > /etc/caddy/Caddyfile <<EOF\nwww.example.org {\n respond ok\n}\nEOF`,
      connection,
      ...more,
    },
  });

  test("refuses one name in two containers, at the second", async () => {
    const { violations } = await stack(one, other());
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `${PLACE} apps.http.servers.web.routes[1].match[0].host[0] orders a certificate for www.example.org, which another Caddy of the stack orders (${PLACE}`,
    );
    expect(violations[0]).toMatch(/instead: .*a storage that both share/);
  });

  test("refuses one name on two machines", async () => {
    const { violations } = await stack(remote("a", { host: "root@one" }), remote("b", { host: "two" }));
    expect(violations).toHaveLength(1);
    const docker = (name: string, host: string) => remote(name, {}, { environment: { DOCKER_HOST: host } });
    expect((await stack(docker("a", "ssh://one"), docker("b", "ssh://two"))).violations).toHaveLength(1);
  });

  test.each([
    ["different names", caddy({ hosts: ["b.example.org"] }, "two")],
    ["a command, which may configure the container's Caddy", remote("two", { host: "two" })],
    ["plain HTTP", other({}, { web: { listen: [":80"] } })],
  ])("leaves %s alone", async (_, second) => {
    expect(await stack(one, second)).toMatchObject(PASSED);
  });

  test("leaves Caddies alone that share a volume, a folder or a storage", async () => {
    const volumes = (entry: object) => ({ volumes: [entry] });
    const with_ = (more: object) => caddy({ hosts: ["www.example.org"] }, "one", more);
    expect(
      await stack(with_(volumes({ volumeName: "d" })), other(volumes({ volumeName: "d" }))),
    ).toMatchObject(PASSED);
    expect(await stack(with_(volumes({ hostPath: "/d" })), other(volumes({ hostPath: "/d" })))).toMatchObject(
      PASSED,
    );
    expect(
      (await stack(with_(volumes({ volumeName: "c" })), other(volumes({ volumeName: "d" })))).violations,
    ).toHaveLength(1);
    const root = { storage: { module: "redis" } };
    expect(
      await stack(caddy({ hosts: ["www.example.org"], root }, "one"), other({}, { root })),
    ).toMatchObject(PASSED);
    const files = { storage: { module: "file_system" } };
    const both = await stack(
      caddy({ hosts: ["www.example.org"], root: files }, "one"),
      other({}, { root: files }),
    );
    expect(both.violations).toHaveLength(1);
    const mixed = await stack(caddy({ hosts: ["www.example.org"], root }, "one"), other());
    expect(mixed.violations).toHaveLength(1);
    const mirrored = await stack(one, other({}, { root }));
    expect(mirrored.violations).toHaveLength(1);
  });

  test("leaves commands alone that act on one machine, or on one that is not known", async () => {
    const at = (name: string, host: unknown) => remote(name, { host });
    expect(await stack(at("a", "one"), at("b", "root@one"))).toMatchObject(PASSED);
    expect(await stack(at("a", "one"), at("b", UNKNOWN))).toMatchObject(PASSED);
    expect(await stack(at("a", "one"), remote("b", {}))).toMatchObject(PASSED);
    const docker = { environment: { DOCKER_HOST: "ssh://two" } };
    expect(await stack(at("a", "one"), remote("b", { host: UNKNOWN }, docker))).toMatchObject(PASSED);
  });
});

test("one-acme-client-per-name takes the labels of all containers for one Caddy's", async () => {
  const labelled = (name: string): TestResource => ({
    type: CONTAINER,
    name,
    props: { name, labels: [{ label: "caddy", value: "www.example.org" }] },
  });
  expect(await stack(labelled("a"), labelled("b"))).toMatchObject(PASSED);
  const edge = caddy({ hosts: ["www.example.org"] });
  expect((await stack(edge, labelled("a"))).violations).toHaveLength(1);
});

describe("one-acme-client-per-name asks what a site's tls line means", () => {
  const NAME = "mail.example.org";
  const judge = (tls: string, options = "", more = ""): Promise<Outcome> => {
    const text = `{\n ${options}\n}\n${NAME} {\n ${tls}\n respond ok\n}\n${more}`;
    return stack(caddy(text), settings(acme("a", NAME)));
  };
  const WILDCARD = "*.example.org {\n tls cert.pem key.pem\n respond ok\n}\n";

  test.each([
    ["none", "", ""],
    ["an address to write to", "tls ops@example.org", ""],
    ["one despite local certificates", "tls ops@example.org", "local_certs"],
    ["a challenge by DNS despite them", "tls {\n dns hetzner {env.TOKEN}\n }", "local_certs"],
    ["a CA of its own", "tls {\n ca https://acme.example.org/directory\n }", "local_certs"],
    ["an issuer by name", "tls {\n issuer zerossl\n }", "local_certs"],
    ["at the first handshake", "tls {\n on_demand\n }", ""],
    ["redirects off", "", "auto_https disable_redirects"],
  ])("and refuses %s", async (_, tls, options) => {
    expect((await judge(tls, options)).violations).toHaveLength(1);
  });

  test("and refuses what is ordered by force, whatever covers it, and what a file covers that is ignored", async () => {
    expect((await judge("tls force_automate", "", WILDCARD)).violations).toHaveLength(1);
    expect((await judge("", "auto_https ignore_loaded_certs", WILDCARD)).violations).toHaveLength(1);
  });

  test.each([
    ["Caddy's own CA", "tls internal", "", ""],
    ["its issuer", "tls {\n issuer internal\n }", "", ""],
    ["local certificates", "", "local_certs", ""],
    ["files", "tls cert.pem key.pem", "", ""],
    ["a folder of files", "tls {\n load /certs\n }", "", ""],
    ["a program", "tls {\n get_certificate http http://a/get\n }", "", ""],
    ["the files of a wildcard site", "", "", WILDCARD],
    ["automatic HTTPS that is off", "", "auto_https off", ""],
    ["certificates that are off", "", "auto_https disable_certs", ""],
  ])("and leaves %s alone", async (_, tls, options, more) => {
    expect(await judge(tls, options, more)).toMatchObject(PASSED);
  });

  test("and leaves a name without TLS alone, on any port", async () => {
    for (const address of [`http://${NAME}`, `http://${NAME}:8080`, `${NAME}:80`])
      expect(await stack(caddy(`${address} {\n tls internal\n}\n`), settings(acme("a", NAME)))).toMatchObject(
        PASSED,
      );
  });
});

describe("one-acme-client-per-name and what a variable stands for", () => {
  const site = "{$NAME} {\n respond ok\n}\n";

  test("refuses a name from the container's environment", async () => {
    const edge = caddy(site, "edge", { envs: ["NAME=mail.example.org"] });
    expect((await stack(edge, settings(acme("a", "mail.example.org")))).violations).toHaveLength(1);
  });

  test("does not judge one that is not known, beside Stalwart or a second Caddy", async () => {
    const place = "uploads[0].content (/etc/caddy/Caddyfile) line 1 ({$NAME})";
    const listed = [
      `${place}: may be a name that is ordered elsewhere: {$NAME} stands for a value that is only known where Caddy runs`,
    ];
    const stalwart = settings(acme("a", "mail.example.org"));
    expect((await stack(caddy(site), stalwart)).notJudged).toEqual(listed);
    const other = caddy("www.example.org {\n respond ok\n}\n", "other");
    expect(await stack(caddy(site), other)).toMatchObject({ violations: [], notJudged: listed });
    expect((await stack(caddy(site), caddy(site, "other"))).notJudged).toEqual([...listed, ...listed]);
    expect(await stack(caddy(site))).toMatchObject(PASSED);
  });
});

describe("one-acme-client-per-name lists as not judged", () => {
  test("Stalwart's unknown names, where Caddy orders any", async () => {
    const keys = acme("le", UNKNOWN, "mail.example.org");
    const outcome = await stack(settings(keys), caddy({ hosts: ["mail.example.org"] }));
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(['settings["acme.le.domains.0000"]: unknown until the update']);
    expect(await stack(settings(keys), caddy({ web: { listen: [":80"] } }))).toMatchObject(PASSED);
    const list = component({ names: UNKNOWN_OBJECT });
    const unknown = await stack(list, caddy({ hosts: ["mail.example.org"] }));
    expect(unknown).toMatchObject({
      violations: [],
      notJudged: ["settings.acme[0].names: unknown until the update"],
    });
  });

  test("a Caddy's unknown config, where Stalwart orders any, or may", async () => {
    const unknown = {
      type: CONTAINER,
      props: { uploads: [{ file: "/etc/caddy/Caddyfile", content: UNKNOWN }] },
    };
    const listed = ["uploads[0].content: unknown until the update"];
    for (const keys of [acme("le", "mail.example.org"), UNKNOWN_OBJECT])
      expect(await stack(settings(keys), unknown)).toEqual({ violations: [], notJudged: listed });
    expect(await stack(settings({}), unknown)).toEqual(PASSED);
  });

  test("a name that two Caddies order, where they may share a volume", async () => {
    const volumes = (volumeName: unknown) => ({ volumes: [{ volumeName }] });
    const on = (name: string, more: object) => caddy({ hosts: ["www.example.org"] }, name, more);
    for (const [first, second] of [
      [volumes(UNKNOWN), volumes(UNKNOWN)],
      [volumes(UNKNOWN), volumes("d")],
      [volumes("d"), volumes(UNKNOWN)],
      [volumes("d"), { volumes: UNKNOWN_LIST }],
      [{ mounts: [UNKNOWN_OBJECT] }, { volumes: [{ hostPath: "/d" }] }],
    ] as const) {
      const outcome = await stack(on("one", first), on("two", second));
      const where = `${PLACE} apps.http.servers.web.routes[0].match[0].host[0]`;
      expect(outcome).toEqual({
        violations: [],
        notJudged: [
          `${where}: whether it shares its storage with the other Caddy that orders www.example.org (${where}) is unknown until the update`,
        ],
      });
    }
    // One that keeps nothing shares nothing.
    expect((await stack(on("one", volumes(UNKNOWN)), on("two", {}))).violations).toHaveLength(1);
    expect((await stack(on("one", {}), on("two", volumes(UNKNOWN)))).violations).toHaveLength(1);
    // What is sure comes before what is not.
    const three = await stack(
      on("one", volumes(UNKNOWN)),
      on("two", volumes("c")),
      on("three", volumes("d")),
    );
    expect(three.violations).toHaveLength(1);
    expect(three.notJudged).toHaveLength(1);
  });

  test("a Caddy's unknown config beside one that orders, without Stalwart", async () => {
    const uploads = [{ file: "/etc/caddy/Caddyfile", content: UNKNOWN }];
    const unknown = { type: CONTAINER, name: "two", props: { uploads } };
    const outcome = await stack(caddy({ hosts: ["a.example.org"] }, "one"), unknown);
    expect(outcome).toEqual({ violations: [], notJudged: ["uploads[0].content: unknown until the update"] });
    expect(await stack(caddy({ web: { listen: [":80"] } }, "one"), unknown)).toEqual(PASSED);
  });

  test("settings and configs that are unknown as a whole", async () => {
    const uploads = [{ file: "/etc/caddy/Caddyfile", content: UNKNOWN }];
    const outcome = await stack(settings(UNKNOWN_OBJECT), caddy({ hosts: ["a.example.org"] }, "one"), {
      type: CONTAINER,
      name: "two",
      props: { uploads },
    });
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual([
      "settings: unknown until the update",
      "uploads[0].content: unknown until the update",
    ]);
  });
});
