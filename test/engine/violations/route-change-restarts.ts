import type { Violation } from "./violation.ts";

// Lesson 12: a script writes a route and leaves it at that; a file with routes goes into a volume,
// and the server that reads it stays as it is.
export default {
  program: `
    const body = JSON.stringify([{ type: "insert", prefix: null, values: [["queue.route.smarthost.address", "mailbox"]] }]);
    new command.local.Command("routes", { create: "curl -sf --data-binary @- http://127.0.0.1:8080/api/settings", stdin: body });
    const volumes = [{ volumeName: "stalwart-etc", containerPath: "/etc/stalwart" }];
    const content = "[queue.route.smarthost]\\ntype = \\"relay\\"\\n";
    container("files", { start: false, mustRun: false, volumes, uploads: [{ file: "/etc/stalwart/config.toml", content }] });
    container("stalwart", { volumes });`,
  expected: [
    "create writes routes, and nothing restarts Stalwart when they change",
    "uploads[0].content (/etc/stalwart/config.toml) queue.route.smarthost.type holds routes, and the server that mounts the volume is not made anew",
    /why: a written route is stored but not used/,
    /instead: a GET of \/api\/reload or a restart of the container at the end of the same script/,
  ],
} satisfies Violation;
