import { once } from "node:events";
import { createServer, type Server } from "node:http";

import type { State } from "../../verify/check.ts";
import type { Examination } from "../../verify/doctor/report.ts";

const STATES: readonly State[] = ["ok", "warn", "fail", "skip", "unknown"];

/**
 * The last examination in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/): a state set for each check, its
 * seconds, and when the look was.
 *
 * @param at when the examination ended
 */
export function metricsOf({ what, rows, seconds }: Examination, at: Date): string {
  const line = (name: string, labels: Record<string, string>, value: number) =>
    `${name}{${Object.entries(labels)
      .map(([key, text]) => `${key}="${escaped(text)}"`)
      .join(",")}} ${value}`;
  const family = (name: string, help: string, lines: string[]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...lines,
  ];
  const of = ({ id, from }: Examination["rows"][number]) => ({ what, check: id, from });
  return [
    ...family(
      "tailwart_check_state",
      "1 for the state that a check is in, 0 for the others.",
      rows.flatMap((row) =>
        STATES.map((state) =>
          line("tailwart_check_state", { ...of(row), state }, row.state === state ? 1 : 0),
        ),
      ),
    ),
    ...family(
      "tailwart_check_seconds",
      "How long a check took; 0 for one that was not asked.",
      rows.map((row) => line("tailwart_check_seconds", of(row), row.ms / 1000)),
    ),
    ...family("tailwart_doctor_seconds", "How long all checks took.", [
      line("tailwart_doctor_seconds", { what }, seconds),
    ]),
    ...family("tailwart_doctor_timestamp_seconds", "When the last examination ended.", [
      line("tailwart_doctor_timestamp_seconds", { what }, at.getTime() / 1000),
    ]),
    "",
  ].join("\n");
}

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/**
 * Serves what `text` gives as /metrics, on loopback; before the first examination 503.
 *
 * @throws Error when the port is taken
 */
export async function serveMetrics(port: number, text: () => string | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    const metrics = request.url === "/metrics" ? text() : "";
    const type = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
    if (metrics === "") response.writeHead(404).end();
    else if (metrics === undefined) response.writeHead(503).end();
    else response.writeHead(200, type).end(metrics);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}
