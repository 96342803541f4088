import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";

import { DnsKeyTrial } from "../../../components/DnsKeyTrial.ts";
import { MailSettings } from "../../../components/MailSettings.ts";
import { StartUnit, type StartUnitArgs } from "../../../components/StartUnit.ts";
import { Stalwart } from "../../../components/Stalwart.ts";
import { StalwartSecrets } from "../../../components/StalwartSecrets.ts";
import { TailnetPolicy } from "../../../components/TailnetPolicy.ts";
import { TailnetSidecar } from "../../../components/TailnetSidecar.ts";
import { configSchema } from "../../../config/schema.ts";
import { componentArgs } from "../../../config/component-args.ts";
import { parseSettings } from "../../../lib/desired-state/parse.ts";
import { validConfig } from "../../fixtures/config.ts";
import { registered, type Registered } from "./mocks.ts";

const plan = componentArgs(configSchema.parse(validConfig()));
const CONTAINER = "docker:index/container:Container";
const COMMAND = "command:local:Command";

beforeEach(() => pulumi.runtime.setAllConfig({ "tailscale:baseUrl": "http://127.0.0.1:1" }, []));

/** The one resource of a type whose name ends so. */
function one(resources: Registered[], type: string, name: string): Record<string, unknown> {
  const found = resources.filter((resource) => resource.type === type && resource.name.endsWith(name));
  expect(found.map((resource) => resource.name)).toHaveLength(1);
  return found[0]?.inputs ?? {};
}
/** A value that holds a secret comes wrapped: Pulumi's wire form of secrets. */
function unwrapped<T>(value: unknown): T {
  expect(value).toHaveProperty("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270");
  return (value as { value: T }).value;
}
const types = (resources: Registered[]) => resources.map(({ type }) => type);

describe("TailnetSidecar", () => {
  const make = (identity: "persistent" | "ephemeral") =>
    registered(() => new TailnetSidecar("mail", { ...plan.sidecar, identity }, {}));

  test("persistent: keeps the node's state on a volume and logs in once with a single-use key", async () => {
    const resources = await make("persistent");
    const { volumes, envs } = one(resources, CONTAINER, "-sidecar");
    expect(volumes).toEqual([
      { volumeName: "tailwart-golden-tailscale", containerPath: "/var/lib/tailscale" },
    ]);
    expect(envs).toContain("TS_STATE_DIR=/var/lib/tailscale");
    expect(one(resources, "tailscale:index/tailnetKey:TailnetKey", "-key")).toMatchObject({
      reusable: false,
      ephemeral: false,
      recreateIfInvalid: "never",
      tags: ["tag:stalwart"],
    });
    expect(types(resources)).not.toContain("tailscale:index/oauthClient:OauthClient");
  });

  test("ephemeral: keeps nothing, asks for its tag, and claims its name from a node that lingers", async () => {
    const resources = await make("ephemeral");
    const sidecar = one(resources, CONTAINER, "-sidecar");
    expect(sidecar).not.toHaveProperty("volumes");
    expect(JSON.stringify(sidecar["envs"])).toContain("--advertise-tags=tag:stalwart");
    expect(JSON.stringify(sidecar["envs"])).not.toContain("TS_STATE_DIR");
    expect(JSON.stringify(sidecar["uploads"])).toContain("?ephemeral=true&preauthorized=true&baseURL=");
    expect(types(resources)).not.toContain("docker:index/volume:Volume");

    const claim = one(resources, COMMAND, "-name");
    expect(claim["create"]).toBe("node verify/claim-name.ts");
    expect(JSON.parse(String(claim["stdin"]))).toMatchObject({ hostname: "stalwart", tag: "tag:stalwart" });
    expect(claim["environment"]).toMatchObject({ TAILSCALE_BASE_URL: "http://127.0.0.1:1" });
    // A new sidecar makes it run again.
    expect(claim["triggers"]).toEqual(["mail-sidecar-id"]);
  });

  test("the anchor holds the namespace with no right, no port and no IPv6, and restarts always", async () => {
    const resources = await make("persistent");
    const anchor = one(resources, CONTAINER, "-anchor");
    expect(anchor).toMatchObject({ capabilities: { drops: ["ALL"] }, restart: "always" });
    expect(anchor).not.toHaveProperty("ports");
    expect(one(resources, "docker:index/network:Network", "-network")).toMatchObject({
      ipv6: false,
      options: { "com.docker.network.bridge.enable_icc": "false" },
    });
    expect(one(resources, CONTAINER, "-sidecar")["networkMode"]).toBe("container:mail-anchor-id");
  });

  test("the namespace gives a connection that nobody answers up within a minute (lesson 16)", async () => {
    const { sysctls } = one(await make("persistent"), CONTAINER, "-anchor");
    // Each try waits twice as long as the one before, the first 0.2 s (tcp(7), tcp_retries2).
    const retries = Number((sysctls as Record<string, string>)["net.ipv4.tcp_retries2"]);
    expect(0.2 * (2 ** (retries + 1) - 1)).toBeLessThan(60);
  });
});

describe("Stalwart", () => {
  const make = (watch = true, env: Record<string, string> = {}) =>
    registered(() => {
      const secretFiles = { "/etc/stalwart/secrets/postgres": pulumi.secret("pg-secret") };
      const args = { ...plan.stalwart, watch, env, settings: plan.settings, secretFiles };
      return new Stalwart("mail", { ...args, networkMode: "container:anchor-id" }, {});
    });

  test("runs as its own user with one capability, a read-only root and no way to more rights (decision 14)", async () => {
    expect(one(await make(), CONTAINER, "-server")).toMatchObject({
      user: "2000:2000",
      readOnly: true,
      capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
      securityOpts: ["no-new-privileges:true"],
      networkMode: "container:anchor-id",
      volumes: [{ readOnly: true }],
    });
  });

  test("reads secrets from files of its own user, and nobody else may read them", async () => {
    const resources = await make();
    type Upload = { file: string; permissions: string; owner: string };
    const uploads = unwrapped<Upload[]>(one(resources, CONTAINER, "-files")["uploads"]);
    const isSecret = ({ file }: { file: string }) => file.startsWith("/etc/stalwart/secrets/");
    expect(uploads.filter(isSecret)).toHaveLength(1);
    for (const upload of uploads)
      expect([upload.permissions, upload.owner]).toEqual(
        isSecret(upload) ? ["0400", "2000"] : [expect.stringMatching(/^0[45]{3}$/), "0"],
      );
    expect(JSON.stringify(one(resources, CONTAINER, "-server"))).not.toContain("pg-secret");
    expect(JSON.stringify(one(resources, "tailwart:mail:Stalwart", "mail"))).not.toContain("pg-secret");
  });

  test("is replaced when one of its files changes: the files' container's id is a label of it", async () => {
    expect(one(await make(), CONTAINER, "-server")["labels"]).toContainEqual({
      label: "tailwart.files.id",
      value: "mail-files-id",
    });
  });

  test("leaves no time of the image's health check, which it switches off, to be read back as drift", async () => {
    expect(one(await make(), CONTAINER, "-server")["healthcheck"]).toEqual({
      tests: ["NONE"],
      interval: expect.stringMatching(/^[1-9]/),
      timeout: expect.stringMatching(/^[1-9]/),
      startPeriod: expect.stringMatching(/^[1-9]/),
      retries: 3,
    });
  });

  test("gets the variables of the config, and its own before them", async () => {
    const env = { MAIL_NAME: "Example mail", TAILWART_WATCH: "off" };
    const envs = one(await make(true, env), CONTAINER, "-server")["envs"];
    expect(envs).toContain("MAIL_NAME=Example mail");
    expect(envs).toContain("TAILWART_WATCH=on");
  });

  test("watches itself unless that is switched off (lesson 16)", async () => {
    expect(one(await make(), CONTAINER, "-server")["envs"]).toContain("TAILWART_WATCH=on");
    expect(one(await make(false), CONTAINER, "-server")["envs"]).toContain("TAILWART_WATCH=off");
  });
});

describe("StartUnit", () => {
  const make = (args: Omit<StartUnitArgs, "dockerHost">) =>
    registered(() => new StartUnit("start", { dockerHost: "ssh://root@kvm.example.org", ...args }, {}));

  test("systemd: writes script and unit on the host over ssh, and takes them away again", async () => {
    const command = one(await make({ kind: "systemd" }), COMMAND, "-systemd") as Record<string, string>;
    expect(command["create"]).toMatch(/^ssh .*"\$HOST" sh -s$/);
    expect(command["environment"]).toMatchObject({ HOST: "ssh://root@kvm.example.org" });
    expect(command["stdin"]).toContain("systemctl enable tailwart-start-tailwart-golden.service");
    expect(command["stdin"]).toContain("label=tailwart.stack=tailwart/golden");
    expect(command["delete"]).toMatch(/systemctl stop .*systemctl disable .*rm -f/);
  });

  test("none: does nothing", async () => {
    expect(types(await make({ kind: "none" }))).toEqual(["tailwart:mail:StartUnit"]);
  });
});

describe("MailSettings", () => {
  const args = {
    settings: plan.settings,
    generation: plan.generation,
    takeOver: true,
    dockerHost: "unix:///run/docker.sock",
    container: "stalwart",
    adminHash: pulumi.secret("$2a$admin"),
  };

  test("shows its relays to policies, and sends accounts with hashes only", async () => {
    const accountHashes = { alice: pulumi.secret("$2a$hash") };
    const resources = await registered(() => new MailSettings("settings", { ...args, accountHashes }, {}));
    const component = one(resources, "tailwart:mail:MailSettings", "settings");
    expect(component["relays"]).toMatchObject([{ host: "mailbox.tail7b1641.ts.net", tls: "tailnet" }]);
    expect(JSON.stringify(component)).not.toMatch(/\$2a\$(hash|admin)/);
    expect(component).not.toHaveProperty("takeOver");
    const { accounts, admin, target } = one(resources, "tailwart:mail:Settings", "-stalwart");
    expect(target).toEqual({ dockerHost: args.dockerHost, container: "stalwart" });
    expect(unwrapped(accounts)).toMatchObject({ alice: { emails: ["alice@example.org"] } });
    expect(unwrapped(admin)).toMatchObject({ name: "admin" });
  });

  test.each([
    ["keys", "tailwart:mail:Settings"],
    ["registry", "tailwart:mail:Registry"],
  ] as const)("sends groups with their members, as %s", async (generation, type) => {
    const group = { name: "info", emails: ["info@example.org"], members: ["alice"], quota: "1G" };
    const settings = parseSettings({ ...plan.settings, groups: [group] });
    const accountHashes = { alice: pulumi.secret("$2a$hash") };
    const all = { ...args, accountHashes, settings, generation };
    const resources = await registered(() => new MailSettings("settings", all, {}));
    expect(one(resources, type, "-stalwart")["groups"]).toEqual({
      info: { emails: ["info@example.org"], members: ["alice"], quota: 1_073_741_824 },
    });
  });

  test("refuses an account for which no password was made", async () => {
    const making = registered(() => new MailSettings("settings", { ...args, accountHashes: {} }, {}));
    await expect(making).rejects.toThrow(/no password was made for the account alice/);
  });
});

describe("DnsKeyTrial", () => {
  const key = { host: "192.0.2.53", port: 53, protocol: "udp" as const, keyName: "lab" };
  const more = { algorithm: "hmac-sha256", names: ["_acme-challenge.example.org"] };

  test("tries the key from the sidecar, and shows its secret to nobody", async () => {
    const resources = await registered(() => {
      const sidecar = new TailnetSidecar("mail", plan.sidecar, {});
      const dockerHost = "unix:///run/docker.sock";
      return new DnsKeyTrial("dns-key", { ...key, ...more, dockerHost, sidecar, secret: "c2VjcmV0" }, {});
    });
    const component = one(resources, "tailwart:mail:DnsKeyTrial", "dns-key");
    expect(component).toMatchObject({ keyName: "lab", names: more.names });
    expect(JSON.stringify(component)).not.toContain("c2VjcmV0");
    const { create, stdin } = one(resources, COMMAND, "-trial");
    expect(create).toBe("node verify/try-dns-key.ts");
    expect(JSON.parse(unwrapped(stdin))).toMatchObject({
      secret: "c2VjcmV0",
      sidecar: expect.any(String) as string,
    });
  });
});

describe("StalwartSecrets", () => {
  test("shows the passwords of those accounts alone that have them, as a secret", async () => {
    let shown = pulumi.output<Record<string, string>>({});
    await registered(() => {
      const accounts = [{ name: "alice" }, { name: "bob" }];
      const made = new StalwartSecrets("secrets", { adminUser: "admin", accounts });
      shown = made.accountPasswords(pulumi.output(["bob"]));
    });
    expect(await pulumi.isSecret(shown)).toBe(true);
    const passwords = await new Promise((resolve) => pulumi.unsecret(shown).apply(resolve));
    expect(passwords).toEqual({ bob: "password-of-secrets-account-bob" });
  });
});

describe("TailnetPolicy", () => {
  test("protects the policy, never overwrites what it did not read, and looks for drift before it writes", async () => {
    const policyFile = "tailnet.base.hujson";
    const resources = await registered(() => new TailnetPolicy("tailnet", { ...plan.policy, policyFile }));
    const acl = one(resources, "tailscale:index/acl:Acl", "-acl");
    expect(acl).toMatchObject({ overwriteExistingContent: false, resetAclOnDestroy: false });
    const guard = one(resources, COMMAND, "-drift");
    expect(guard["environment"]).toMatchObject({ VERB: "drift" });
    expect(JSON.parse(String(guard["stdin"]))).toMatchObject({ desired: acl["acl"], policyFile });
  });

  test("names the config key when the policy file cannot be read", async () => {
    const making = registered(
      () => new TailnetPolicy("tailnet", { ...plan.policy, policyFile: "no/such.hujson" }),
    );
    await expect(making).rejects.toThrow(/tailwart:tailnet\.policyFile names no\/such\.hujson/);
  });
});
