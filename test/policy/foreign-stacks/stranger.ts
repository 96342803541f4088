import type { TestResource } from "../harness.ts";

/** One thing that the pack is to say: which policy, of which resource, at which place. */
export type Expected = readonly [policy: string, resource: string, where: string];

export { STACK } from "../whole-pack.ts";

/**
 * A stack that is not tailwart's, in the manner of what people publish, and all that the pack has
 * to say about it.
 */
export interface Stranger {
  readonly resources: readonly TestResource[];
  readonly violations: readonly Expected[];
  readonly notJudged: readonly Expected[];
}

const digest = (image: string): string => `${image}@sha256:${"4f".repeat(32)}`;

export const container = (name: string, image: string, props: object, more: object = {}): TestResource => ({
  type: "docker:index/container:Container",
  name,
  props: { name, image: digest(image), restart: "unless-stopped", ...props },
  ...more,
});
export const resource = (type: string, name: string, props: object, more: object = {}): TestResource => ({
  type,
  name,
  props,
  ...more,
});
export const volume = (name: string): TestResource => resource("docker:index/volume:Volume", name, { name });
export const network = (name: string, props: object = {}): TestResource =>
  resource("docker:index/network:Network", name, { name, driver: "bridge", ...props });
