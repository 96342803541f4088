import type { Violation } from "./violation.ts";

export default {
  program: `
    const data = new docker.Volume("edge-data", {}, { provider });
    container("edge", {
      labels: [{ label: "tailwart.role", value: "edge" }],
      volumes: [{ volumeName: data.name, containerPath: "/data" }],
    });
  `,
  expected: [
    "options.protect is not set, while the edge keeps its state there, in /data.",
    /why: .*deletes what is not protected/,
    "instead: protect: true in the resource's options",
  ],
} satisfies Violation;
