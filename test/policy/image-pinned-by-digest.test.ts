import { describe, expect, test } from "vitest";
import { imagePinnedByDigest as policy } from "../../policies/rules/image-pinned-by-digest.ts";
import { PASSED, runPolicy, runStackPolicy, secret, UNKNOWN, urnOf, type TestResource } from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const HEX = "0123456789abcdef".repeat(4);
const container = (image: unknown) => resource(CONTAINER, "app", { image });
const remote = (props: object) => resource("docker:index/remoteImage:RemoteImage", "remote", props);

describe("image-pinned-by-digest refuses", () => {
  test.each([
    ["a tag", "caddy:2"],
    ["no tag at all", "registry.example.org:5000/mail/caddy"],
    ["an empty name", ""],
    ["a digest that is too short", `caddy@sha256:${HEX.slice(1)}`],
    ["a digest that is too long", `caddy@sha256:${HEX}0`],
    ["a digest in capitals, which Docker refuses", `caddy@sha256:${HEX.toUpperCase()}`],
    ["a digest of another kind", `caddy@sha512:${HEX}${HEX}`],
    ["a tag that only looks like a digest", `caddy:sha256-${HEX}`],
    ["a digest of nothing", `@sha256:${HEX}`],
    ["a tag after the digest", `caddy@sha256:${HEX}:2`],
    ["a secret name", secret("registry.example.org/private:2")],
  ])("%s", async (_, image) => {
    const inContainer = await runPolicy(policy, container(image));
    expect(inContainer.violations).toHaveLength(1);
    expect(inContainer.violations[0]).toContain("image names an image by a tag, without a sha256 digest");
    const pulled = await runPolicy(policy, remote({ name: image }));
    expect(pulled.violations).toHaveLength(1);
    expect(pulled.violations[0]).toMatch(/^name names an image by a tag/);
  });

  test("and says why and what to write instead, without a lesson", async () => {
    const { violations } = await runPolicy(policy, container("caddy:2"));
    expect(violations[0]).toMatch(/why: a tag can be moved, .*no difference \(https:[^ ]+\)/);
    expect(violations[0]).toMatch(/instead: name:tag@sha256:<64 hex digits>, as `docker buildx imagetools/);
  });
});

describe("image-pinned-by-digest passes", () => {
  test.each([
    ["a digest", `caddy@sha256:${HEX}`],
    ["a digest with a tag, a registry and a port", `registry.example.org:5000/mail/caddy:2@sha256:${HEX}`],
    ["an image id, which RemoteImage.imageId is", `sha256:${HEX}`],
    ["a secret one", secret(`caddy@sha256:${HEX}`)],
  ])("%s", async (_, image) => {
    expect(await runPolicy(policy, container(image))).toEqual(PASSED);
    expect(await runPolicy(policy, remote({ name: image }))).toEqual(PASSED);
  });

  test("over an image that is built here, whose name is its tag", async () => {
    const built = await runPolicy(policy, remote({ name: "own:1", build: { context: "." } }));
    expect(built.notApplicable).toMatch(/built, not pulled/);
  });

  test("over what has no image", async () => {
    const volume = { type: "docker:index/volume:Volume", props: { image: "caddy:2" } };
    expect((await runPolicy(policy, volume)).notApplicable).toMatch(/RemoteImage/);
  });
});

describe("an image that is unknown", () => {
  test("is listed where it is pulled by that name", async () => {
    expect(await runPolicy(policy, remote({ name: UNKNOWN }))).toEqual({
      violations: [],
      notJudged: ["name: unknown until the update"],
    });
  });

  test("or may be built here, is not judged unless its name is fine anyway", async () => {
    expect(await runPolicy(policy, remote({ name: "own:1", build: UNKNOWN }))).toEqual({
      violations: [],
      notJudged: ["build: unknown until the update"],
    });
    expect(await runPolicy(policy, remote({ name: `own@sha256:${HEX}`, build: UNKNOWN }))).toEqual(PASSED);
  });

  const withSources = (...sources: TestResource[]): TestResource[] => [
    ...sources,
    { ...container(UNKNOWN), propertyDependencies: { image: sources.map(urnOf) } },
  ];
  const pinned = remote({ name: `caddy@sha256:${HEX}` });
  const password: TestResource = { type: "random:index/randomPassword:RandomPassword", props: { length: 9 } };

  test("is left to the stack where a container runs it", async () => {
    expect(await runPolicy(policy, container(UNKNOWN))).toEqual(PASSED);
  });

  test("is fine when it comes from a RemoteImage: what that does not know before the pull is a digest", async () => {
    expect(await runStackPolicy(policy, withSources(pinned))).toEqual(PASSED);
  });

  test.each([
    ["nothing tells where it comes from", [container(UNKNOWN)]],
    ["it comes from elsewhere", withSources(password)],
    ["a part of it comes from elsewhere", withSources(pinned, password)],
  ])("is listed when %s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual({
      violations: [],
      notJudged: ["image: unknown until the update"],
    });
  });

  test("is nothing that a stack of known images has", async () => {
    const { notApplicable } = await runStackPolicy(policy, [container("caddy:2"), pinned]);
    expect(notApplicable).toMatch(/no container's image is unknown/);
  });
});
