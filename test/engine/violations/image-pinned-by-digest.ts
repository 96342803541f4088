import type { Violation } from "./violation.ts";

export default {
  program: `
    container("moving", { image: "caddy:2" });
    new docker.RemoteImage("latest", { name: "postgres" }, { provider });
  `,
  expected: [
    "image names an image by a tag, without a sha256 digest.",
    "name names an image by a tag",
    /why: .*tag can be moved/,
    /instead: .*docker buildx imagetools inspect/,
  ],
} satisfies Violation;
