// What comes to the edge goes on to Stalwart.
import { type Check, fail, lesson, ok, skip } from "../check.ts";
import { inContainer } from "../docker.ts";
import { nameProblem, namesProbe, readNames } from "../names.ts";

/** The edge resolves what Caddy dials, on the tailnet and on the internet. */
export const edgeNames: Check = {
  id: "edge-names",
  from: "edge",
  needs: ["edge-docker"],
  lesson: lesson(6),
  async look(scene) {
    const { edge } = scene.target;
    if (!edge) return skip("no edge to ask");
    const state = await scene.container("edge", edge.container);
    const by = (verb: string) => `docker --host ${edge.dockerHost} ${verb} ${edge.container}`;
    if (state?.running !== true)
      return fail(`the edge's container ${edge.container} ${state ? "does not run" : "is not there"}`, {
        ...(state ? { fix: by("start") } : { fix: "pulumi up --refresh" }),
      });
    const seen = await inContainer(edge.dockerHost, edge.container, namesProbe(edge.names), 12);
    const problem = nameProblem(readNames(seen.stdout), edge.names);
    return problem
      ? fail(problem.message, { advice: problem.hint })
      : ok(`the edge resolves ${edge.names.magicDns} and ${edge.names.public}`);
  },
  seconds: 13,
};

/** A banner comes back through the edge, the tailnet and the PROXY header: the whole way in. */
export const edge: Check = {
  id: "edge",
  from: "edge",
  needs: ["edge-names", "stalwart"],
  lesson: lesson(6),
  async look({ target: { edge: box } }) {
    if (!box) return skip("no edge to ask");
    // The pipe holds nc's stdin open until the banner is there; ports on which the client speaks
    // first are left out.
    const line = "{ sleep 4; echo QUIT; } | nc -w 5 127.0.0.1 25 | head -n 1";
    const seen = await inContainer(box.dockerHost, box.container, line, 9);
    const said = `${seen.stdout}${seen.stderr}`.trim();
    if (seen.stdout.startsWith("220")) return ok("Stalwart's banner comes back through the edge's port 25");
    return fail(`no banner comes back through the edge's port 25${said ? `; it said: ${said}` : ""}`, {
      advice: "Caddy's log says whom it dialled",
      fix: `docker --host ${box.dockerHost} logs --tail 30 ${box.container}`,
    });
  },
};
