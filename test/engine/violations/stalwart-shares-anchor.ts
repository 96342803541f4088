import type { Violation } from "./violation.ts";

export default {
  program: `
    const role = (value, args) => container(value, { name: value, restart: "always", labels: [{ label: "tailwart.role", value }], ...args });
    const anchor = role("anchor", {});
    role("sidecar", { networkMode: pulumi.interpolate\`container:\${anchor.id}\` });
    role("stalwart", { networkMode: pulumi.interpolate\`container:\${anchor.name}\`, restart: "on-failure" });
  `,
  expected: [
    "networkMode joins a container by its name.",
    'restart is not "always"',
    /why: .*dead namespace.*\(lesson 13, https/,
    "instead: `container:${anchor.id}`",
  ],
} satisfies Violation;
