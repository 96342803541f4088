import { sameHost } from "../../lib/tailnet/reach.ts";
import { at, merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { formatPath, read, readAt, walk } from "../framework/values.ts";
import { dataStoresOf, type DataStore } from "../facts/data-stores.ts";
import { CONTAINER, environmentOf, knownRoleOf } from "../facts/docker/containers.ts";
import { readHealthTest, type HealthReading, type Proof } from "../facts/docker/health-test.ts";

export const sidecarWaitsForPostgres = definePolicy({
  id: "sidecar-waits-for-postgres",
  description: "The sidecar is healthy only while tailscaled is up and Postgres can be reached through it.",
  severity: "critical",
  lesson: 1,
  enforcementLevel: "mandatory",
  remediation:
    "Let the sidecar's health check require tailscaled's health and a connection to the data store, joined with &&.",
  url: "https://docs.docker.com/reference/compose-file/services/#healthcheck",
  why: "tailscaled is healthy before the route to Postgres is usable, and what Stalwart writes in that gap (a new certificate, too) is lost",
  portable: false,
  resourceTypes: [CONTAINER],
  judgeResource,
  judgeStack,
});

const WHERE = "healthcheck.tests";
// Without double quotes: the engine prints them escaped.
const EXAMPLE = "CMD-SHELL with `wget -qO- http://127.0.0.1:9002/healthz && nc -z -w 3 <Postgres host> 5432`";

type Connects = Extract<Proof, { kind: "connects" }>;
type Reading =
  HealthReading | { readonly kind: "absent" } | { readonly kind: "unknown"; readonly where: string };

function isSidecar(resource: PolicyResource): boolean {
  return resource.type === CONTAINER && knownRoleOf(resource) === "sidecar";
}

function readingOf(sidecar: PolicyResource): Reading {
  const tests = readAt(sidecar.props, ["healthcheck", "tests"]);
  if (!tests.known) return { kind: "unknown", where: WHERE };
  if (!Array.isArray(tests.value) || tests.value.length === 0) return { kind: "absent" };
  const { leaves, gaps } = walk(tests.value);
  if (gaps[0]) return { kind: "unknown", where: `${WHERE}${formatPath(gaps[0].path)}` };
  return readHealthTest(
    leaves.map((leaf) => String(leaf.value)),
    environmentOf(sidecar).values,
  );
}

const connectionsOf = (reading: Reading): Connects[] =>
  reading.kind === "requires"
    ? reading.proofs.filter((proof): proof is Connects => proof.kind === "connects")
    : [];

const MISTAKES: Partial<Record<Reading["kind"], string>> = {
  absent: "is not set, so the container counts as ready as soon as it runs",
  disabled: "is NONE, which turns the health check off",
  malformed: "begins with neither CMD nor CMD-SHELL, so Docker does not run it",
};

function judgeReading(reading: Reading): Judgement {
  if (reading.kind === "unknown") return unknown(reading.where);
  if (reading.kind === "unreadable")
    return unjudged({
      where: WHERE,
      because: "its shell syntax is not read here; join plain commands with &&",
    });
  const mistake = MISTAKES[reading.kind];
  const whats = mistake ? [mistake] : [];
  if (reading.kind === "requires") {
    if (!reading.proofs.some((proof) => proof.kind === "tailscaled")) {
      whats.push(
        "can succeed while tailscaled is not healthy (a /healthz that may fail, or `tailscale wait`, must be joined with &&)",
      );
    }
    if (connectionsOf(reading).length === 0) {
      whats.push(
        "can succeed while the data store is not reachable (`nc -z <host> <port>` or `pg_isready` must be joined with &&)",
      );
    }
  }
  return refuse(...whats.map((what) => ({ where: WHERE, what, instead: EXAMPLE })));
}

/** Does a sidecar's test require tailscaled and some server? Which one is judgeStack's matter. */
function judgeResource(resource: PolicyResource): Verdict {
  if (resource.type !== CONTAINER) return { notApplicable: "only Docker containers have a health check" };
  if (!read(resource.props, "labels").known) return unknown("labels");
  if (!isSidecar(resource)) return { notApplicable: "the container has no label tailwart.role=sidecar" };
  return judgeReading(readingOf(resource));
}

function judgeStore(sidecar: PolicyResource, stores: readonly DataStore[]): Judgement {
  const probes = connectionsOf(readingOf(sidecar));
  if (probes.length === 0) return PASS; // judgeResource reports that
  if (stores.length === 0) {
    const because =
      "no resource of the stack tells which data store it must require (TAILWART_POSTGRES_HOST, Stalwart's config file, or a component's postgres args)";
    return unjudged({ where: WHERE, because });
  }
  if (probes.some((probe) => stores.some((one) => sameHost(probe.host, one.host) && probe.port === one.port)))
    return PASS;
  if (probes.some((probe) => /\$/.test(probe.host + probe.port))) {
    const because = "its host or port comes from a variable that the container's envs do not set";
    return unjudged({ where: WHERE, because });
  }
  const wanted = stores.map((one) => `${one.host}:${one.port}`).join(" or ");
  return refuse({
    where: WHERE,
    what: `requires ${probes.map((probe) => `${probe.host}:${probe.port}`).join(", ")}, while the data store is ${wanted}`,
    instead: EXAMPLE.replace("<Postgres host> 5432", wanted.replace(/:(\d+)/g, " $1")),
  });
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sidecars = resources.filter(isSidecar);
  if (sidecars.length === 0)
    return { notApplicable: "the stack has no container with the label tailwart.role=sidecar" };
  const stores = dataStoresOf(resources);
  return merge(...sidecars.map((sidecar) => at(sidecar.urn, judgeStore(sidecar, stores))));
}
