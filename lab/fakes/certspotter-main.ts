// `node lab/fakes/certspotter-main.ts CONFIG.json`: the fake certspotter as a server. It reads the
// issuances that the fake budget has noted, anew for each request.
import { existsSync, readFileSync } from "node:fs";

import { type Issuance, RationedSearch } from "./certspotter.ts";
import { configuration, log, send, serve, type Listen } from "./serve.ts";

const { issuances, ...listen } = configuration<Listen & { issuances: string }>();
const search = new RationedSearch();

serve(listen, ({ method = "", url = "" }, response) => {
  const answer = method === "GET" ? search.answer(url, noted()) : { status: 405 };
  log(`${method} ${url} ${answer.status}`);
  send(response, answer);
});

function noted(): Issuance[] {
  if (!existsSync(issuances)) return [];
  const lines = readFileSync(issuances, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Issuance);
}
