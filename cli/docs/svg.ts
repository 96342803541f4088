// As little of SVG 1.1 as the two pictures need: boxes, arrows, lines of text.

/** Where a box is, in pixels. */
export type Box = { x: number; y: number; width: number; height: number };
type Point = readonly [number, number];

const STYLE = `text{font:12px system-ui,sans-serif;fill:#1f2933}.head{font-weight:700;font-size:13px}
.note{fill:#9b1c1c}.port{fill:#0b5394}.filled{fill:#fff;stroke:#52606d}.plain{fill:#eef2f7;stroke:#52606d}
.dashed{fill:#fff;stroke:#52606d;stroke-dasharray:5 4}.arrow{stroke:#0b5394;stroke-width:1.5}`;

const escaped = (value: string) =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Lines of text, the first at the height `y`. */
export function text(x: number, y: number, lines: string[], kind = "", anchor = "start"): string {
  return lines
    .map((line, index) => {
      const style = kind === "box" && index === 0 ? "head" : kind;
      return `<text x="${x}" y="${y + index * 15}" class="${style}" text-anchor="${anchor}">${escaped(line)}</text>`;
    })
    .join("\n");
}

/** A box with its name in bold and what else there is to say below it. */
export function box(at: Box, lines: string[], kind: "filled" | "plain" | "dashed" = "filled"): string {
  const around = `<rect x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}" rx="6" class="${kind}"/>`;
  return `${around}\n${text(at.x + 10, at.y + 19, lines, "box")}`;
}

/** An arrow with its label above its middle, or to the right of it. */
export function arrow(from: Point, to: Point, label: string[], where: "above" | "beside" = "above"): string {
  const line = `<line x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}" class="arrow" marker-end="url(#tip)"/>`;
  const lines = label.flatMap((each) => each.split("\n"));
  const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const words =
    where === "beside"
      ? text(x + 10, y - 4, lines, "port")
      : text(x, y - 8 - (lines.length - 1) * 15, lines, "port", "middle");
  return `${line}\n${words}`;
}

/** The whole picture. `title` is what a screen reader says. */
export function svg(size: { width: number; height: number }, title: string, parts: string[]): string {
  const { width, height } = size;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0 0 9 4 0 8z" fill="#0b5394"/></marker></defs>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
