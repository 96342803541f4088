import { describe, expect, test } from "vitest";
import { UserError } from "../../../../lib/errors.ts";
import { mergePolicy } from "../../../../lib/tailnet/policy-document.ts";

const own = { grants: [], tagOwners: {} };
const proxy = { tag: "tag:stalwart", edge: "tag:reverse-proxy", ports: [25, 443, 993] };

/** What else stands in the base: names for addresses, and who is who. */
const NAMES = {
  groups: { "group:family": ["ann@example.org"] },
  hosts: { everything: "0.0.0.0/0", home: "192.168.178.0/24", nas: "100.101.102.103" },
  ipsets: { "ipset:all": ["add host:everything", "remove 10.0.0.0/8"], "ipset:far": ["10.0.0.0/8"] },
};
const merge = (sections: object) =>
  mergePolicy(JSON.stringify({ ...NAMES, ...sections }), own, { path: "my.hujson", proxy });
const grant = (src: string, dst: string, ip: string, more: object = {}) => ({
  grants: [{ src: [src], dst: [dst], ip: [ip], ...more }],
});
const acl = (src: string, dst: string, more: object = {}) => ({
  acls: [{ action: "accept", src: [src], dst: [dst], ...more }],
});

function refusal(sections: object): UserError {
  try {
    merge(sections);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("a base in which others than the edge reach a port with PROXY protocol is refused", () => {
  test.each([
    ["everybody, all of Stalwart", grant("*", "tag:stalwart", "*"), "25, 443, 993"],
    ["members, all nodes", grant("autogroup:member", "*", "*"), "25, 443, 993"],
    ["a group, one port", grant("group:family", "tag:stalwart", "993"), "993"],
    ["one user, a range of ports", grant("ann@example.org", "tag:stalwart", "tcp:20-443"), "25, 443"],
    ["tagged nodes, as nodes with tags", grant("tag:nas", "autogroup:tagged", "TCP:443"), "443"],
    ["guests, by the protocol's number", grant("autogroup:shared", "tag:stalwart", "6:25"), "25"],
    ["a network behind a router, by its host name", grant("home", "tag:stalwart", "tcp:*"), "25, 443, 993"],
    ["an alias for every address", grant("tag:nas", "everything", "443"), "443"],
    ["a set of every address, whatever is taken out", grant("tag:nas", "ipset:all", "443"), "443"],
    ["every address", grant("tag:nas", "0.0.0.0/0", "443"), "443"],
    ["the tailnet's own range", grant("tag:nas", "100.64.0.0/10", "443"), "443"],
    ["a part of it", grant("tag:nas", "100.64.0.0/16", "443"), "443"],
    ["its IPv6 range", grant("tag:nas", "fd7a:115c:a1e0::/48", "443"), "443"],
    ["a name that nothing explains", grant("tag:nas", "unheard-of", "443"), "443"],
    ["ports that cannot be read", grant("tag:nas", "tag:stalwart", "25,465"), "25, 443, 993"],
    ["only from devices of a posture", grant("*", "*", "25", { srcPosture: ["posture:new"] }), "25"],
    ["Stalwart's own tag", grant("tag:stalwart", "tag:stalwart", "25"), "25"],
    ["names of members in another case", { grants: [{ Src: ["*"], DST: ["*"], Ip: ["25"] }] }, "25"],
    ["blanks that control servers trim", grant(" * ", " tag:stalwart ", "25"), "25"],
    ["an old rule", acl("group:family", "tag:stalwart:25,587"), "25"],
    ["an old rule over everything", acl("autogroup:member", "*:*"), "25, 443, 993"],
    ["an old rule with a protocol", acl("*", "tag:stalwart:*", { proto: "tcp" }), "25, 443, 993"],
    ["an old rule's old words", { acls: [{ action: "accept", users: ["tag:a"], ports: ["*:25"] }] }, "25"],
    ["an old rule over IPv6", acl("tag:nas", "[fd7a:115c:a1e0::/48]:443"), "443"],
  ])("%s", (_, sections, ports) => {
    const error = refusal(sections);
    expect(error.message).toMatch(/^my\.hujson: (?:grants|acls)\[0\] at line 1, column \d+ lets /);
    expect(error.message).toContain(
      ` reach tcp ${ports} of tag:stalwart, where Stalwart believes any PROXY header`,
    );
    expect(error.message).toMatch(/lesson 3.*only tag:reverse-proxy may/);
    expect(error.path).toBe("grants" in sections ? "grants[0]" : "acls[0]");
    expect(error.hint).toMatch(/without tag:stalwart: such as "dst": \["autogroup:self"\]/);
  });

  test("with every entry and source that does it, the edge left out", () => {
    const sections = {
      grants: [
        { src: ["tag:reverse-proxy", "tag:a", "tag:b"], dst: ["tag:stalwart"], ip: ["25"] },
        { src: ["tag:nas"], dst: ["tag:db"], ip: ["*"] },
        { src: ["*"], dst: ["tag:stalwart"], ip: ["443"] },
      ],
    };
    expect(refusal(sections).message).toMatch(
      /grants\[0\] at [^;]* lets tag:a, tag:b reach tcp 25; grants\[2\] at [^;]* lets \* reach tcp 443 of/,
    );
  });
});

describe("a base is taken in which", () => {
  test.each([
    ["only the edge reaches them", grant("tag:reverse-proxy", "tag:stalwart", "tcp:25")],
    ["operators reach the admin listener", grant("autogroup:admin", "tag:stalwart", "tcp:8080")],
    ["members reach their own devices", grant("autogroup:member", "autogroup:self", "*")],
    ["members reach the devices of members", grant("autogroup:member", "autogroup:member", "*")],
    ["everybody reaches an exit node's internet", grant("*", "autogroup:internet", "*")],
    ["another tag is reached on the same port", grant("*", "tag:web", "443")],
    ["one machine is named by its address", grant("*", "nas", "443")],
    ["a network behind a router is reached", grant("*", "home", "443")],
    ["a set of other addresses is", grant("*", "ipset:far", "443")],
    ["udp alone is open", grant("*", "*", "udp:443")],
    ["other ports alone are", grant("*", "*", "tcp:26-442")],
    ["a grant is for an application", { grants: [{ src: ["*"], dst: ["*"], app: { "x.y/z": [{}] } }] }],
    ["an old rule opens another port", acl("*", "*:22")],
    ["an old rule of another protocol opens all", acl("*", "tag:stalwart:*", { proto: "icmp" })],
  ])("%s", (_, sections) => {
    expect(merge(sections)).toContain('"groups"');
  });
});
