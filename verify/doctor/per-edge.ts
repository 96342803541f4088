import type { Check } from "../check.ts";
import type { DoctorEdge, DoctorScene } from "./target.ts";

/**
 * The checks of a stack with these edges: those that look at an edge are there for each of them,
 * and what needs one needs all of them. Where there are several, the id names the edge.
 *
 * @example ofEdges(CHECKS, [ams, fra]) // …, "edge-names (ams)", "edge-names (fra)", …
 */
export function ofEdges(
  checks: readonly Check<DoctorScene>[],
  edges: readonly DoctorEdge[],
): Check<DoctorScene>[] {
  const perEdge = new Set(checks.filter((check) => check.perEdge).map(({ id }) => id));
  const idAt = (id: string, { name }: DoctorEdge) => (edges.length > 1 ? `${id} (${name})` : id);
  const needsAt = ({ needs }: Check<DoctorScene>, at: readonly DoctorEdge[]) =>
    needs.flatMap((id) => (perEdge.has(id) ? at.map((edge) => idAt(id, edge)) : id));
  return checks.flatMap((check) =>
    check.perEdge
      ? edges.map((edge) => ({
          ...check,
          id: idAt(check.id, edge),
          needs: needsAt(check, [edge]),
          look: (scene: DoctorScene) => check.look(scene.at(edge)),
        }))
      : [{ ...check, needs: needsAt(check, edges) }],
  );
}
