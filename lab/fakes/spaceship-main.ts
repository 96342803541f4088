// `node lab/fakes/spaceship-main.ts CONFIG.json`: the fake Spaceship as a server.
import { bodyOf, configuration, log, send, serve, type Listen } from "./serve.ts";
import { type ApiKey, Spaceship } from "./spaceship.ts";

const { keys, domains, ...listen } = configuration<Listen & { keys: ApiKey[]; domains: string[] }>();
const spaceship = new Spaceship(keys, domains);

serve(listen, (request, response) => {
  const { method = "", url = "", headers } = request;
  bodyOf(request)
    .then((body) => spaceship.answer({ method, url, headers, body }))
    .then((answer) => {
      log(`${method} ${url} ${answer.status}`);
      send(response, answer);
    })
    .catch((error: unknown) => {
      log(`${method} ${url} failed: ${String(error)}`);
      response.destroy();
    });
});
