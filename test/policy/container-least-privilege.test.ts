import { describe, expect, test } from "vitest";
import {
  containerLeastPrivilege as policy,
  parseLeastPrivilegeSettings,
} from "../../policies/rules/container-least-privilege.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, UNKNOWN_OBJECT } from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const container = (props: object) => resource(CONTAINER, "resource", { user: "1000", ...props });
const host = (hostPath: unknown): object => ({ volumes: [{ hostPath, containerPath: "/x" }] });
const SOCKET = /hands over the container engine's socket/;

describe("container-least-privilege refuses", () => {
  test.each([
    ["privileged", { privileged: true }, /^privileged gives the container all of the host/],
    ["the engine's socket", host("/var/run/docker.sock"), /^volumes\[0\]\.hostPath hands over the container/],
    ["the socket, read-only", { volumes: [{ hostPath: "/run/docker.sock", readOnly: true }] }, SOCKET],
    ["the socket, by a way round", host("/srv/..//run/docker.sock"), SOCKET],
    ["another engine's socket", host("/run/containerd/containerd.sock"), SOCKET],
    [
      "the socket as a mount",
      { mounts: [{ type: "bind", source: "/var/run/docker.sock", target: "/s" }] },
      /^mounts\[0\]\.source hands over/,
    ],
    [
      "the socket in a mount of unknown type",
      { mounts: [{ type: UNKNOWN, source: "/run/docker.sock" }] },
      SOCKET,
    ],
    ["the host's root", host("/"), /mounts the host's \/\./],
    ["the host's /etc", host("/etc/"), /mounts the host's \/etc\./],
    ["the host's /proc", host("/proc"), /mounts the host's \/proc\./],
    ["a part of the host's /proc", host("/proc/1/root"), /where every process shows its environment/],
    ["the folder of the socket", host("/var/run"), /mounts the host's \/var\/run/],
    ["Docker's own data", host("/var/lib/docker"), /mounts the host's \/var\/lib\/docker/],
    ["the host's processes", { pidMode: "host" }, /^pidMode shows the container the host's processes/],
    ["the host's memory", { ipcMode: "host" }, /^ipcMode shares the host's memory/],
    ["the host's users", { usernsMode: "host" }, /^usernsMode makes the container's root/],
    [
      "a spare capability",
      { capabilities: { adds: ["SYS_ADMIN"] } },
      /^capabilities\.adds\[0\] adds SYS_ADMIN, a capability/,
    ],
    ["every capability", { capabilities: { adds: ["ALL"], drops: ["ALL"] } }, /^capabilities\.adds\[0\]/],
    [
      "a spare capability by its long name",
      { capabilities: { adds: ["cap_sys_ptrace"] } },
      /adds SYS_PTRACE, a capability/,
    ],
    [
      "one that Docker does not give",
      { capabilities: { drops: ["ALL"], adds: ["DAC_READ_SEARCH"] } },
      /READ/,
    ],
    [
      "a spare one beside an allowed one",
      { capabilities: { adds: ["NET_RAW", "SYS_TIME"] } },
      /^capabilities\.adds\[1\]/,
    ],
    ["a device", { devices: [{ hostPath: "/dev/sda" }] }, /^devices\[0\]\.hostPath hands over a device/],
    ["seccomp off", { securityOpts: ["seccomp=unconfined"] }, /^securityOpts\[0\] turns a protection/],
    ["AppArmor off, the old way", { securityOpts: ["apparmor:unconfined"] }, /turns a protection/],
    ["SELinux off", { securityOpts: ["label=disable"] }, /turns a protection/],
    ["masked paths off", { securityOpts: ["systempaths=unconfined"] }, /turns a protection/],
    ["root by name", { user: "root" }, /^user is root with all of Docker's default capabilities/],
    ["root by number, with a group", { user: "0:0" }, /^user is root/],
    ["root that drops little", { user: "0", capabilities: { drops: ["NET_RAW"] } }, /^user is root/],
    ["a secret path", host(secret("/var/run/docker.sock")), SOCKET],
    ["what stands beside an unknown value", { privileged: UNKNOWN, pidMode: "host" }, /^pidMode/],
    [
      "a path in a list whose other entries are unknown",
      { volumes: [UNKNOWN_OBJECT, { hostPath: UNKNOWN }, { hostPath: "/etc" }] },
      /^volumes\[2\]\.hostPath mounts the host's \/etc/,
    ],
  ])("%s", async (_, props, pattern) => {
    const { violations } = await runPolicy(policy, container(props));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(pattern);
  });

  test.each([
    "/root/.ssh",
    "/root/.docker/config.json",
    "/home/alice/.ssh/id_ed25519",
    "/home",
    "/etc/cron.d",
    "/etc/shadow",
    "/etc/ssl/private",
    "/etc/systemd/system",
    "/var/spool/cron/crontabs",
    "/var/lib/docker/overlay2",
    "/var/lib/kubelet/pods",
    "/usr/local/bin",
    "/sys/fs/cgroup",
    "/dev/mem",
    "/run/systemd/private",
    "/var/run/systemd/private",
    "/srv/../etc/cron.d",
    "/etc/localtime/../shadow",
    "/lib/systemd/system",
    "/etc/nginx/../passwd",
    "/etc/unbound-keys",
    "/usr/share/fonts-of-ours",
    "/run/systemd/resolve",
    "/run/systemd/resolve/resolv.conf.d",
  ])("the host's %s", async (path) => {
    const { violations } = await runPolicy(policy, container(host(path)));
    expect(violations).toEqual([expect.stringMatching(/(?:mounts the host's|hands over the keys in) \//)]);
  });

  test.each([
    "/dev/kvm",
    "/dev/mem",
    "/dev/ttyS0",
    "/dev/ttyUSB",
    "/dev/dri/../sda",
    "/dev/serial/by-id/../../sda",
    "/dev/serial/by-id",
    "/dev/net/tunnel",
    "/dev/sndd",
    "/dev/video",
    "/srv/dev/dri",
    "/srv/dev/snd",
    "/srv/dev/net/tun",
    "/srv/dev/ttyUSB0",
  ])("the device %s", async (hostPath) => {
    const { violations } = await runPolicy(policy, container({ devices: [{ hostPath }] }));
    expect(violations).toEqual([
      expect.stringMatching(
        /hands over a device of the host\.[^]*instead: \/dev\/net\/tun, a GPU, a serial line on USB, or no device/,
      ),
    ]);
  });

  test("each mistake by itself, and says why and what to write instead", async () => {
    const { violations } = await runPolicy(
      policy,
      container({ privileged: true, user: "root", capabilities: { adds: ["SYS_ADMIN"] } }),
    );
    expect(violations).toHaveLength(3);
    expect(violations[1]).toMatch(/why: who breaks into such a container has the host, .* \(https:/);
    expect(violations[1]).toMatch(
      /instead: one of NET_ADMIN, NET_RAW, NET_BIND_SERVICE, or a longer list in container-least-privilege\.allowed/,
    );
  });
});

describe("container-least-privilege passes", () => {
  test.each([
    ["a plain container", { image: "x" }],
    [
      "the capabilities of a tailnet node",
      { capabilities: { adds: ["CAP_NET_ADMIN", "net_raw"], drops: ["ALL"] } },
    ],
    [
      "what Docker gives by itself, added back to a container that drops all",
      {
        capabilities: {
          drops: ["ALL"],
          adds: [
            ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_RAW"],
            ...["NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "CAP_SETUID", "sys_chroot"],
          ],
        },
      },
    ],
    ["its device", { devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun" }] }],
    ["named volumes", { volumes: [{ volumeName: "data", containerPath: "/etc" }] }],
    ["a folder of its own on the host", { mounts: [{ type: "bind", source: "/srv/mail", target: "/m" }] }],
    ["a mounted volume whatever its name", { mounts: [{ type: "volume", source: "/proc", target: "/m" }] }],
    ["the host's network, for an edge", { networkMode: "host" }],
    ["namespaces of another container", { pidMode: "container:x", ipcMode: "private" }],
    ["more protection", { securityOpts: ["no-new-privileges:true", "seccomp=profile.json"] }],
    ["a user of its own", { user: "2000:2000" }],
    ["a user whose name begins like root's", { user: "rootless" }],
    ["root without any capability", { user: "0", capabilities: { drops: ["CAP_ALL"] } }],
    ["privileged: false", { privileged: false }],
    ["a secret user", { user: secret("mailuser") }],
  ])("%s", async (_, props) => {
    expect(await runPolicy(policy, container(props))).toEqual(PASSED);
  });

  test.each([
    "/etc/localtime",
    "/etc/ssl/certs",
    "/etc/letsencrypt/live/mail.example.org",
    "/usr/share/zoneinfo/Europe/Berlin",
    "/dev/net/tun",
    "/var/lib/docker/volumes/mail/_data",
    "/var/lib/stalwart",
    "/home/alice/mail",
    "/opt/mail/etc/shadow",
    "/etcetera",
    "/lib/modules",
    "/etc/nginx/conf.d",
    "/etc/headscale",
    "/etc/unbound/unbound.conf",
    "/etc/fonts",
    "/usr/share/fonts",
    "/usr/local/share/GeoIP/city.mmdb",
    "/run/systemd/resolve/resolv.conf",
    "/run/systemd/resolve/stub-resolv.conf",
  ])("the host's %s", async (path) => {
    expect(await runPolicy(policy, container(host(path)))).toEqual(PASSED);
  });

  test.each([
    "/dev/dri",
    "/dev/dri/renderD128",
    "/dev/dri/card0",
    "/dev/ttyUSB0",
    "/dev/ttyACM10",
    "/dev/serial/by-id/usb-stick-0",
    "/dev/serial/by-path/usb-0:1",
    "/dev/snd",
    "/dev/video0",
  ])("the device %s", async (hostPath) => {
    expect(await runPolicy(policy, container({ devices: [{ hostPath }] }))).toEqual(PASSED);
  });

  test("over what is no container", async () => {
    const volume = { type: "docker:index/volume:Volume", props: { privileged: true } };
    expect((await runPolicy(policy, volume)).notApplicable).toContain("Container");
  });
});

describe("container-least-privilege lists as not judged", () => {
  test.each([
    ["privileged", { privileged: UNKNOWN }, ["privileged"]],
    ["a namespace", { ipcMode: UNKNOWN }, ["ipcMode"]],
    ["capabilities", { capabilities: UNKNOWN_OBJECT, user: "1" }, ["capabilities"]],
    ["a capability", { capabilities: { adds: [UNKNOWN] } }, ["capabilities.adds[0]"]],
    ["the list of capabilities", { capabilities: { adds: UNKNOWN_LIST } }, ["capabilities.adds"]],
    ["devices", { devices: UNKNOWN_LIST }, ["devices"]],
    ["a device", { devices: [{ hostPath: UNKNOWN }] }, ["devices[0].hostPath"]],
    ["security options", { securityOpts: [UNKNOWN] }, ["securityOpts[0]"]],
    ["volumes", { volumes: UNKNOWN_LIST }, ["volumes"]],
    ["a host path", host(UNKNOWN), ["volumes[0].hostPath"]],
    ["mounts", { mounts: UNKNOWN_LIST }, ["mounts"]],
    ["a volume", { volumes: [UNKNOWN_OBJECT] }, ["volumes[0].hostPath"]],
    ["a mount", { mounts: [UNKNOWN_OBJECT] }, ["mounts[0].source"]],
    ["the source of a bind mount", { mounts: [{ type: "bind", source: UNKNOWN }] }, ["mounts[0].source"]],
    ["a user", { user: UNKNOWN }, ["user"]],
    ["what root drops", { user: "0", capabilities: { drops: UNKNOWN_LIST } }, ["capabilities.drops"]],
    [
      "a capability that root drops",
      { user: "0", capabilities: { drops: [UNKNOWN] } },
      ["capabilities.drops[0]"],
    ],
  ])("%s that is unknown", async (_, props, wheres) => {
    const { violations, notJudged, blind } = await runPolicy(policy, container(props));
    expect(blind).toBeUndefined();
    expect(violations).toEqual([]);
    expect(notJudged).toEqual(
      wheres.map(
        (where) => `${where === "capabilities" ? "capabilities.adds" : where}: unknown until the update`,
      ),
    );
  });

  test.each([
    ["a user, where every capability is dropped", { user: UNKNOWN, capabilities: { drops: ["ALL"] } }],
    ["what somebody else drops", { user: "2000", capabilities: { drops: UNKNOWN_LIST } }],
    ["the name of a volume", { volumes: [{ volumeName: UNKNOWN, containerPath: "/data" }] }],
    ["the source of a volume mount", { mounts: [{ type: "volume", source: UNKNOWN, target: "/data" }] }],
  ])("nothing of %s: it could not change the verdict", async (_, props) => {
    expect(await runPolicy(policy, container(props))).toEqual(PASSED);
  });
});

describe("container-least-privilege does not judge whom an image runs as", () => {
  const because =
    "user: is not set, and the image's own cannot be seen here; with it go Docker's default capabilities";
  test.each([
    ["without a user", { user: undefined }],
    ["with an empty one, as the provider fills in", { user: "" }],
    ["that drops some capabilities", { user: undefined, capabilities: { drops: ["NET_RAW"] } }],
    ["that adds one", { user: undefined, capabilities: { adds: ["NET_BIND_SERVICE"] } }],
  ])("%s", async (_, props) => {
    expect(await runPolicy(policy, container(props))).toEqual({ violations: [], notJudged: [because] });
  });

  test.each([
    ["with a user of its own", { user: "stalwart" }],
    ["with a user's number and group", { user: "2000:2000" }],
    ["that drops all capabilities", { user: undefined, capabilities: { drops: ["ALL"] } }],
  ])("but passes one %s", async (_, props) => {
    expect(await runPolicy(policy, container(props))).toEqual(PASSED);
  });
});

describe("allowedCapabilities of container-least-privilege", () => {
  const adds = (...list: string[]) => container({ capabilities: { adds: list } });
  const config = { allowedCapabilities: ["cap_sys_time"] };

  test("takes the place of the default", async () => {
    expect((await runPolicy(policy, adds("SYS_TIME"), { config })).violations).toEqual([]);
    expect((await runPolicy(policy, adds("NET_ADMIN"), { config })).violations[0]).toContain(
      "one of SYS_TIME",
    );
  });

  test.each([
    [{ allowedCapabilities: "NET_ADMIN" }, /container-least-privilege\.allowedCapabilities accepts a list/],
    [{ allowedCapabilities: [1] }, /allowedCapabilities accepts a list/],
    [{ allowedCapabilities: ["NET ADMIN"] }, /allowedCapabilities accepts a list/],
    [{ capabilities: [] }, /container-least-privilege\.capabilities is no key of this policy/],
  ])("refuses %j with the key's path", (raw, message) => {
    expect(() => parseLeastPrivilegeSettings(raw)).toThrow(message);
  });
});
