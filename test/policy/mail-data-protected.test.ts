import { describe, expect, test } from "vitest";
import { mailDataProtected as policy } from "../../policies/rules/mail-data-protected.ts";
import {
  PASSED,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  urnOf,
  type TestResource,
} from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const container = (role: string, props: object, more: Partial<TestResource> = {}) =>
  resource(CONTAINER, role, { labels: [{ label: "tailwart.role", value: role }], ...props }, more);
const volume = (name: string, more: Partial<TestResource> = {}) =>
  resource("docker:index/volume:Volume", name, { name }, more);
const mount = (volumeName: unknown, containerPath: unknown, more: object = {}) => ({
  volumes: [{ volumeName, containerPath, ...more }],
});
const acl: TestResource = { type: "tailscale:index/acl:Acl", name: "acl", props: { acl: "{}" } };
const component: TestResource = { type: "tailwart:mail:CaddyEdge", name: "edge", props: {} };

describe("mail-data-protected refuses an unprotected", () => {
  test.each([
    ["stalwart", "/opt/stalwart", "while Stalwart keeps its state there, in /opt/stalwart"],
    ["sidecar", "/var/lib/tailscale", "while the sidecar keeps its state there, in /var/lib/tailscale"],
    ["edge", "/data", "while the edge keeps its state there, in /data"],
    ["edge", "/etcetera", "in /etcetera"],
  ])("volume of the %s in %s", async (role, path, text) => {
    const { violations } = await runStackPolicy(policy, [volume("v"), container(role, mount("v", path))]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^options\.protect is not set/);
    expect(violations[0]).toContain(text);
  });

  test.each([
    ["as a mount", { mounts: [{ type: "volume", source: "v", target: "/data" }] }],
    ["in a secret list", { volumes: secret([{ volumeName: "v", containerPath: "/data" }]) }],
    [
      "beside others",
      { volumes: [{ hostPath: "/srv", containerPath: "/srv" }, ...mount("v", "/data").volumes] },
    ],
  ])("volume that is mounted %s", async (_, props) => {
    const { violations } = await runStackPolicy(policy, [volume("v"), volume("w"), container("edge", props)]);
    expect(violations).toHaveLength(1);
  });

  test("volume whose name is unknown before it is made, once for all who use it", async () => {
    const data = volume("v", { props: {} });
    const more = { propertyDependencies: { volumes: [urnOf(data)] } };
    const { violations } = await runStackPolicy(policy, [
      data,
      container("edge", mount(UNKNOWN, "/data"), more),
      container("stalwart", mount(UNKNOWN, "/opt"), more),
    ]);
    expect(violations).toHaveLength(1);
  });

  test("volume that is mounted by its id, beside one that is mounted by its name", async () => {
    const [config, data] = [volume("config"), volume("v")];
    const volumes = [...mount("config", "/etc/caddy").volumes, ...mount(UNKNOWN, "/data").volumes];
    const more = { propertyDependencies: { volumes: [urnOf(config), urnOf(data)] } };
    const { violations, notJudged } = await runStackPolicy(policy, [
      config,
      data,
      container("edge", { volumes }, more),
    ]);
    expect(violations).toHaveLength(1);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["a component", component],
    ["a container of it", container("anchor", {})],
    ["one of its mail containers", container("edge", {})],
  ])("tailnet policy file in a stack that has %s of tailwart's", async (_, resource) => {
    const { violations } = await runStackPolicy(policy, [acl, resource]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^options\.protect is not set, while every grant/);
    expect(violations[0]).toMatch(/why: .*deletes what is not protected.* \(https:/);
    expect(violations[0]).toContain("instead: protect: true in the resource's options");
  });
});

describe("mail-data-protected passes", () => {
  test("protected volumes and a protected policy file", async () => {
    const resources = [
      { ...acl, protect: true },
      volume("v", { protect: true }),
      container("edge", mount("v", "/data")),
    ];
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  test.each([
    ["configuration, which the program writes again", mount("v", "/etc/caddy")],
    ["configuration in /etc itself", mount("v", "/etc")],
    ["what can only be read", mount("v", "/data", { readOnly: true })],
    ["a volume that the stack does not make", mount("elsewhere", "/data")],
    ["a folder of the host", { volumes: [{ hostPath: "/srv/data", containerPath: "/data" }] }],
    ["memory", { mounts: [{ type: "tmpfs", target: "/data" }] }],
  ])("%s", async (_, props) => {
    const nameless = volume("nameless", { props: {} });
    expect(await runStackPolicy(policy, [volume("v"), nameless, container("edge", props)])).toEqual(PASSED);
  });

  test("the carrier of the files, which writes configuration only", async () => {
    expect(await runStackPolicy(policy, [volume("v"), container("files", mount("v", "/data"))])).toEqual(
      PASSED,
    );
  });

  test("the settings resource, whose deletion leaves domains, accounts and mail", async () => {
    const settings = { type: "tailwart:mail:Settings", name: "settings", props: { settings: {} } };
    expect(await runStackPolicy(policy, [settings])).toEqual(PASSED);
  });

  test("over a stack that is not tailwart's", async () => {
    const app = { ...container("app", mount("v", "/data")), props: mount("v", "/data") };
    expect((await runStackPolicy(policy, [acl, volume("v"), app])).notApplicable).toMatch(
      /nothing of tailwart's/,
    );
  });
});

describe("mail-data-protected lists as not judged", () => {
  test.each([
    ["unknown volumes", { volumes: UNKNOWN_LIST }, "volumes"],
    ["unknown mounts", { mounts: UNKNOWN_LIST }, "mounts"],
    ["a volume of which nothing is known", { volumes: [UNKNOWN_OBJECT] }, "volumes[0]"],
    ["a name of which nothing is known", mount(UNKNOWN, "/data"), "volumes[0]"],
    ["an unknown place", mount("v", UNKNOWN), "volumes[0]"],
    ["a volume that may be for reading only", mount("v", "/data", { readOnly: UNKNOWN }), "volumes[0]"],
  ])("%s", async (_, props, where) => {
    expect(await runStackPolicy(policy, [volume("v"), container("edge", props)])).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });

  test("a name that may be that of either of two volumes", async () => {
    const [a, b] = [volume("a"), volume("b")];
    const more = { propertyDependencies: { volumes: [urnOf(a), urnOf(b)] } };
    expect(await runStackPolicy(policy, [a, b, container("edge", mount(UNKNOWN, "/data"), more)])).toEqual({
      violations: [],
      notJudged: ["volumes[0]: unknown until the update"],
    });
  });

  test("a container whose labels come from another resource", async () => {
    const open = container("open", { labels: UNKNOWN_LIST, ...mount("v", "/data") });
    const made = { ...open, propertyDependencies: { labels: [urnOf(volume("v"))] } };
    expect((await runStackPolicy(policy, [volume("v"), made])).notJudged).toEqual([
      "labels: unknown until the update",
    ]);
    // Whose the stack is cannot be told then, and a stranger's tailnet policy file is his own
    // matter.
    expect((await runStackPolicy(policy, [volume("v"), made, acl])).violations).toEqual([]);
    expect((await runStackPolicy(policy, [volume("v"), open])).notApplicable).toMatch(
      /nothing of tailwart's/,
    );
  });

  test("nothing of what is configuration, or for reading only, in any case", async () => {
    const volumes = [
      ...mount(UNKNOWN, "/etc/caddy").volumes,
      ...mount(UNKNOWN, UNKNOWN, { readOnly: true }).volumes,
    ];
    expect(await runStackPolicy(policy, [volume("v"), container("edge", { volumes })])).toEqual(PASSED);
  });
});
