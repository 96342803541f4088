import type { Violation } from "./violation.ts";

export default {
  program: `
    container("app", {
      envs: ["DB_PASSWORD=opensesame", "LANG=C", "TZ=UTC"],
      uploads: [{ file: "/app/.env", content: "# settings\\nexport API_TOKEN=opensesame2\\n" }],
    });
    container("safe", {
      envs: ["ZONE=1", pulumi.secret("DB_PASSWORD=opensesame3"), "LANG=C", "DB_PASSWORD_FILE=/run/secrets/db"],
      uploads: [{ file: "/app/token", content: new random.RandomPassword("made", { length: 20 }).result }],
    });
  `,
  expected: [
    "envs (DB_PASSWORD) is a secret by its name, written as plain text.",
    "uploads[0].content (/app/.env) gives API_TOKEN as plain text.",
    /why: a literal can be read/,
    /instead: a secret of the stack/,
  ],
} satisfies Violation;
