import { restartDocker } from "../../lab/docker-hosts.ts";
import { POSTGRES, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { reachProbe, readReach } from "../../verify/reach.ts";
import type { Bench } from "./bench.ts";
import { dial, describeDialled, mustGreet } from "./dial.ts";
import type { Lesson, Seen } from "./lesson.ts";

/** How long the sidecar may take to be healthy, if it is to be. Seconds. */
const AWAY = 20;
/** How long mail may take to come back by itself: Docker waits up to a minute. Seconds. */
const BACK = 120;

export const lesson01: Lesson = {
  number: 1,
  title: "Postgres was not there yet",
  preventedBy:
    "the sidecar's healthcheck and Stalwart's gate ask Postgres (`lib/tailnet/health.ts`, `lib/stalwart/entrypoint.sh`)",
  refusedBy: ["sidecar-waits-for-postgres"],
  touches: ["the namespace"],
  cause: {
    taken: "what was written before Postgres could be reached was lost",
    found: "Stalwart ends when its data store is missing at the start, so the gap is a loop of restarts",
  },

  async play(half) {
    const { bench } = half;
    const { layout } = bench.lab;
    await half.does("Postgres is stopped", "db: postgres stop", () => stopPostgres(layout));
    const start = new Date().toISOString();
    await half.does("the KVM's Docker is restarted, as at a boot", "kvm: systemctl restart docker", () =>
      restartDocker(layout, layout.boxes.kvm),
    );
    await half.sees(
      {
        from: "kvm: docker inspect sidecar, State.Health.Status",
        outage: "healthy, though Postgres is away",
        held: `not healthy for ${AWAY} s, since Postgres is away`,
      },
      () => health(bench, start),
    );
    await half.sees(
      {
        from: "kvm: docker logs and docker inspect stalwart, RestartCount",
        outage: "it ends with `error connecting to server`, again and again",
        held: "it runs, says that it waits for Postgres, and listens nowhere",
      },
      async () => {
        let seen: Seen = { words: "nothing", is: "neither" };
        await bench.within(AWAY, async () => (seen = await server(bench, start)).is !== "neither");
        return seen;
      },
    );
    await half.does("Postgres is started; mail comes back by itself", "db: postgres start", async () => {
      await startPostgres(layout, { force: true });
      await mustGreet(bench, BACK);
    });
  },

  async restore({ lab }) {
    await startPostgres(lab.layout, { force: true });
  },
};

/** What Docker says of the sidecar that it has started since. */
async function health(bench: Bench, since: string): Promise<Seen> {
  const status = async () => {
    const format = "{{.State.StartedAt}} {{.State.Health.Status}}";
    const [started = "", now = ""] = (await bench.inspect("sidecar", format)).split(" ");
    return started > since ? now : "not started yet";
  };
  const took = await bench.within(AWAY, async () => (await status()) === "healthy");
  const host = `${POSTGRES.host}.${bench.lab.facts.tailnetDomain}`;
  const probe = ["sh", "-c", reachProbe(host, POSTGRES.port)];
  const reach = readReach(await bench.docker("kvm", "exec", bench.container("sidecar"), ...probe));
  const words = `${await status()} after ${took?.toFixed(1) ?? AWAY} s; ${host}:${POSTGRES.port}: ${reach}`;
  if (reach === "open") return { words, is: "neither" };
  return { words, is: took === undefined ? "held" : "outage" };
}

async function server(bench: Bench, since: string): Promise<Seen> {
  const state = await bench.inspect("stalwart", "{{.State.Status}} {{.RestartCount}}");
  const [status = "", restarts = ""] = state.split(" ");
  const log = await bench.docker("kvm", "logs", "--since", since, bench.container("stalwart"));
  const lost = /error connecting to server/.exec(log)?.[0];
  const waits = /gate: waiting for Postgres.*/.exec(log)?.[0];
  const port = status === "running" ? describeDialled(await dial(bench, "namespace", "127.0.0.1", 25)) : "";
  const said = lost ?? waits ?? log.trim().split("\n").at(-1);
  const words = `${status}, restarted ${restarts} times, "${said}"${port && `; port 25: ${port}`}`;
  if (lost !== undefined && Number(restarts) > 1) return { words, is: "outage" };
  const held = status === "running" && lost === undefined && waits !== undefined && /ECONNREFUSED/.test(port);
  return { words, is: held ? "held" : "neither" };
}
