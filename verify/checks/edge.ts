// What comes to the edge goes on to Stalwart.
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, lesson, ok, skip } from "../check.ts";
import { dialFrom } from "../dial.ts";
import { Dialogue } from "../dialogue.ts";
import { inContainer } from "../docker.ts";
import { nameProblem, namesProbe, readNames } from "../names.ts";

/** The edge resolves what Caddy dials, on the tailnet and on the internet. */
export const edgeNames: Check = {
  id: "edge-names",
  perEdge: true,
  from: "edge",
  needs: ["edge-runs"],
  lesson: lesson(6),
  async look(scene) {
    const { edge } = scene.target;
    if (!edge) return skip("no edge to ask");
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
  perEdge: true,
  from: "edge",
  needs: ["edge-address", "stalwart"],
  lesson: lesson(6),
  async look({ target: { edge: box } }) {
    if (!box) return skip("no edge to ask");
    const stream = dialFrom(box.dockerHost, box.container, "127.0.0.1", 25);
    stream.on("error", () => undefined);
    const talk = new Dialogue(stream);
    try {
      const banner = await talk.answer();
      await talk.leave("QUIT");
      if (banner.startsWith("220")) return ok("Stalwart's banner comes back through the edge's port 25");
      throw new Error(`it said: ${banner}`);
    } catch (error) {
      return fail(`no banner comes back through the edge's port 25; ${wordsOf(error)}`, {
        advice: "Caddy's log says whom it dialled",
        fix: `docker --host ${box.dockerHost} logs --tail 30 ${box.container}`,
      });
    } finally {
      stream.destroy();
    }
  },
};
