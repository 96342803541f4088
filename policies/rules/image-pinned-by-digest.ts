import { at, merge, PASS, refuse, unknown } from "../framework/judgement.ts";
import { definePolicy, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { read, type MaybeKnown } from "../framework/values.ts";
import { CONTAINER, REMOTE_IMAGE } from "../facts/docker/containers.ts";

export const imagePinnedByDigest = definePolicy({
  id: "image-pinned-by-digest",
  description: "Every image is named by its sha256 digest.",
  severity: "medium",
  enforcementLevel: "mandatory",
  remediation: "Add @sha256:<digest> to the image's name; the tag may stay for readers.",
  url: "https://docs.docker.com/reference/cli/docker/image/pull/#pull-an-image-by-digest-immutable-identifier",
  why: "a tag can be moved, so the next container may run something else than what was tested, and the preview shows no difference",
  portable: true,
  resourceTypes: [CONTAINER, REMOTE_IMAGE],
  judgeResource,
  judgeStack,
});

/** `name[:tag]@sha256:<64 hex digits>`, or an image's own id, which is a digest too. */
const PINNED = /(?:^|.@)sha256:[0-9a-f]{64}$/;

const NONE: MaybeKnown = { known: true, value: undefined };

/** Input that names the image. */
const INPUT: Readonly<Record<string, string>> = { [CONTAINER]: "image", [REMOTE_IMAGE]: "name" };

/**
 * One image. A container's that is unknown is left to judgeStack, which sees where it comes from;
 * in `up` it is known here, before the container is made.
 */
function judgeResource({ type, props }: PolicyResource): Verdict {
  const build = type === REMOTE_IMAGE ? read(props, "build") : NONE;
  if (build.known && build.value !== undefined)
    return { notApplicable: "the image is built, not pulled: its name is what the build is tagged with" };
  const where = INPUT[type] ?? "";
  const image = read(props, where);
  if (!image.known) return type === CONTAINER ? PASS : unknown(where);
  if (typeof image.value !== "string" || PINNED.test(image.value)) return PASS;
  if (!build.known) return unknown("build");
  return refuse({
    where,
    what: "names an image by a tag, without a sha256 digest",
    instead:
      "name:tag@sha256:<64 hex digits>, as `docker buildx imagetools inspect name:tag` prints it, or the imageId of a docker.RemoteImage",
  });
}

/** Unknown images. What is unknown of a RemoteImage, imageId and repoDigest, is a digest. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const open = resources.filter(({ type, props }) => type === CONTAINER && !read(props, "image").known);
  if (open.length === 0) return { notApplicable: "no container's image is unknown" };
  const fromRegistry = ({ propertyDependencies }: PolicyResource): boolean => {
    const sources = propertyDependencies?.["image"] ?? [];
    return sources.length > 0 && sources.every(({ type }) => type === REMOTE_IMAGE);
  };
  const unjudgeable = open.filter((container) => !fromRegistry(container));
  return merge(...unjudgeable.map(({ urn }) => at(urn, unknown("image"))));
}
