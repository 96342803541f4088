import { at, merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { formatPath, listAt, read, readAt, readString } from "../framework/values.ts";
import { caddiesOf } from "../facts/caddy/find.ts";
import { mailHostsOf } from "../facts/caddy/mail-upstreams.ts";
import { upstreamsOf } from "../facts/caddy/upstreams.ts";
import { CONTAINER } from "../facts/docker/containers.ts";
import { isLoopback } from "../facts/hosts.ts";
import { REGISTRY, SETTINGS } from "../facts/own-resources.ts";
import { evaluate, isTrue, type Value } from "../facts/stalwart/condition.ts";
import { endpointsOf, type Endpoints, type PublicListener } from "../facts/stalwart/endpoints.ts";

export const adminNotPublic = definePolicy({
  id: "admin-not-public",
  description:
    "Stalwart's management API, admin UI and metrics are not answered where the internet reaches them.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation:
    "Close the paths of management on every public HTTP listener, publish no port of the admin listener, and route nothing to it.",
  url: "https://stalw.art/docs/0.15/http/access-control/",
  why: "every HTTP listener answers all of Stalwart's paths unless told otherwise, so one weak or phished administrator's password, or one bug before the login, is open to everybody",
  portable: true,
  resourceTypes: [SETTINGS, REGISTRY, CONTAINER],
  judgeResource,
  judgeStack,
});

/** Requests that only an administrator makes, of either generation of the API and its UI. */
const MANAGEMENT = [
  "/api/principal",
  "/api/settings/list",
  "/api/schema",
  "/admin/",
  "/login",
  "/metrics/prometheus",
];
/** Where Stalwart serves its management by default. */
const ADMIN_PORT = 8080;
const ELSEWHERE = "a listener of its own for management, which the tailnet or loopback alone reaches";

/** The status of a listener's answer; "unknown" where its rules cannot be evaluated. */
function answerTo(
  path: string,
  { name, port }: PublicListener,
  rules: Endpoints["rules"],
): Value | "unknown" {
  const request = {
    listener: name,
    local_port: port,
    ...{ url_path: path, path, url: path, method: "GET" },
    ...(port === 443 && { protocol: "https", is_tls: true }),
  };
  for (const { condition, status, unknown } of rules) {
    const holds = unknown ? undefined : condition === undefined || isTrue(evaluate(condition, request));
    if (holds === undefined) return "unknown";
    if (!holds) continue;
    return evaluate(status ?? "", request) ?? "unknown";
  }
  return 200; // Stalwart's own
}

function judgeListener(listener: PublicListener, { rules, where }: Endpoints): Judgement {
  const answers = MANAGEMENT.map((path) => ({ path, answer: answerTo(path, listener, rules) }));
  const open = answers.filter(({ answer }) => String(answer) === "200").map(({ path }) => path);
  if (open.length > 0) {
    const what = `answers ${open.join(", ")} on port ${listener.port}, which is public`;
    const instead = `http.allowed-endpoint (Http.allowedEndpoints from 0.16 on) with the paths of mail programs at 200 and 404 for everything else, and ${ELSEWHERE}`;
    return refuse({ where: listener.where, what, instead });
  }
  const unsure = answers.some(({ answer }) => answer === "unknown");
  const because = `whether it closes management on listener "${listener.name}" cannot be told before the update`;
  return unsure ? unjudged({ where, because }) : PASS;
}

function judgeEndpoints(all: readonly Endpoints[]): Verdict {
  const judged = all.flatMap((endpoints) =>
    endpoints.listeners.map((listener) => judgeListener(listener, endpoints)),
  );
  const gaps = all.flatMap((endpoints) => endpoints.gaps);
  if (judged.length + gaps.length === 0)
    return { notApplicable: "it declares no HTTP listener of Stalwart that is public" };
  return merge(unjudged(...gaps), ...judged);
}

/** Ports of a container that runs Stalwart, published past loopback. */
function judgePorts({ props }: PolicyResource): Judgement {
  const image = readString(props, ["image"]);
  if (!/stalwart/i.test(image.value ?? "")) return PASS;
  const publishes = (where: string): Judgement =>
    refuse({
      where,
      what: `publishes port ${ADMIN_PORT} of Stalwart, its management, on the host`,
      instead: "no port here, or one with the ip 127.0.0.1",
    });
  const ports = listAt(props, ["ports"]);
  const all = read(props, "publishAllPorts");
  return merge(
    ports.known ? PASS : unknown("ports"),
    ...ports.entries.map(({ path, entry }) => {
      const [internal, ip] = [readAt(props, [...path, "internal"]), readString(props, [...path, "ip"])];
      if (!entry.known || !internal.known || !ip.known) return unknown(formatPath(path));
      const open = internal.value === ADMIN_PORT && !isLoopback(ip.value ?? "");
      return open ? publishes(formatPath(path)) : PASS;
    }),
    all.known && all.value === true ? publishes("publishAllPorts") : PASS,
  );
}

function judgeResource(resource: PolicyResource): Verdict {
  const endpoints = judgeEndpoints(endpointsOf(resource));
  const ports = judgePorts(resource);
  if (!("notApplicable" in endpoints)) return merge(endpoints, ports);
  return ports.findings.length + ports.notJudged.length > 0 ? ports : endpoints;
}

/** Routes of an edge to the management port of a host that is known as the mail server. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const caddies = caddiesOf(resources);
  if (caddies.length === 0) return { notApplicable: "no Caddy config is in the stack" };
  const { hosts } = mailHostsOf(
    caddies.flatMap(({ configs }) => configs),
    resources,
  );
  const findings = resources.flatMap((resource) =>
    upstreamsOf(resource)
      .filter(({ host, port }) => port === ADMIN_PORT && hosts.has(host))
      .map(({ where }) => ({
        where,
        what: `leads from the edge to port ${ADMIN_PORT} of the mail server, its management`,
        instead: "no route: whoever administers opens the port over the tailnet",
        urn: resource.urn,
      })),
  );
  return merge(
    refuse(...findings),
    ...caddies.map(({ resource, gaps }) => at(resource.urn, unjudged(...gaps))),
  );
}
