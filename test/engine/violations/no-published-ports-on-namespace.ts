import type { Violation } from "./violation.ts";

export default {
  program: `
    container("stalwart", {
      labels: [{ label: "tailwart.role", value: "stalwart" }],
      ports: [{ internal: 25, external: 25 }],
    });
  `,
  expected: ["ports[0] (25) publishes Stalwart's namespace", /why: .*PROXY headers/, "instead: no port here"],
} satisfies Violation;
