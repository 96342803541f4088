import { REGISTRY, SETTINGS } from "../facts/own-stack.ts";
import { caddyOf } from "../facts/caddy/find.ts";
import { mailHostsOf } from "../facts/caddy/mail-upstreams.ts";
import { isLoopback } from "../facts/caddy/model.ts";
import { upstreamsOf } from "../facts/caddy/upstreams.ts";
import { unknownAt } from "../framework/judgement.ts";
import { definePolicy, type Finding, type NotJudged, type Subject, type Verdict } from "../framework/policy.ts";
import { CONTAINER, listAt } from "../facts/docker/containers.ts";
import { evaluate, isTrue, type Value } from "../facts/stalwart/condition.ts";
import { endpointsOf, type Endpoints, type PublicListener } from "../facts/stalwart/endpoints.ts";
import { formatPath, read, readAt, readString } from "../framework/values.ts";

export const adminNotPublic = definePolicy({
  id: "admin-not-public",
  description:
    "Stalwart's management API, admin UI and metrics are not answered where the internet reaches them.",
  severity: "high",
  level: "mandatory",
  remediation:
    "Close the paths of management on every public HTTP listener, publish no port of the admin listener, and route nothing to it.",
  url: "https://stalw.art/docs/0.15/http/access-control/",
  why: "every HTTP listener answers all of Stalwart's paths unless told otherwise, so one weak or phished administrator's password, or one bug before the login, is open to everybody",
  anyStack: true,
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
/** Where Stalwart serves its management unless told otherwise. */
const ADMIN_PORT = 8080;
const ELSEWHERE = "a listener of its own for management, which the tailnet or loopback alone reaches";

/** The status that a listener answers a path with; "unknown" where its rules cannot be told. */
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

function judgeListener(
  listener: PublicListener,
  { rules, where }: Endpoints,
): { findings: Finding[]; notJudged: NotJudged[] } {
  const answers = MANAGEMENT.map((path) => ({ path, answer: answerTo(path, listener, rules) }));
  const open = answers.filter(({ answer }) => String(answer) === "200").map(({ path }) => path);
  if (open.length > 0) {
    const what = `answers ${open.join(", ")} on port ${listener.port}, which is public`;
    const instead = `http.allowed-endpoint (Http.allowedEndpoints from 0.16 on) with the paths of mail programs at 200 and 404 for everything else, and ${ELSEWHERE}`;
    return { findings: [{ where: listener.where, what, instead }], notJudged: [] };
  }
  const unsure = answers.some(({ answer }) => answer === "unknown");
  const because = `whether it closes management on listener "${listener.name}" cannot be told before the update`;
  return { findings: [], notJudged: unsure ? [{ where, because }] : [] };
}

function judgeEndpoints(all: readonly Endpoints[]): Verdict {
  const judged = all.flatMap((endpoints) =>
    endpoints.listeners.map((listener) => judgeListener(listener, endpoints)),
  );
  const gaps = all.flatMap((endpoints) => endpoints.gaps);
  if (judged.length + gaps.length === 0)
    return { notApplicable: "it declares no HTTP listener of Stalwart that is public" };
  return {
    findings: judged.flatMap(({ findings }) => findings),
    notJudged: [...gaps, ...judged.flatMap(({ notJudged }) => notJudged)],
  };
}

/** Ports of a container that runs Stalwart, published past loopback. */
function judgePorts({ props }: Subject): { findings: Finding[]; notJudged: NotJudged[] } {
  const findings: Finding[] = [];
  const notJudged: NotJudged[] = [];
  const image = readString(props, ["image"]);
  if (!/stalwart/i.test(image.value ?? "")) return { findings, notJudged };
  const publishes = (where: string): void =>
    void findings.push({
      where,
      what: `publishes port ${ADMIN_PORT} of Stalwart, its management, on the host`,
      instead: "no port here, or one with the ip 127.0.0.1",
    });
  const ports = listAt(props, ["ports"]);
  if (!ports.known) notJudged.push(unknownAt("ports"));
  for (const { path, read: entry } of ports.entries) {
    const [internal, ip] = [readAt(props, [...path, "internal"]), readString(props, [...path, "ip"])];
    if (!entry.known || !internal.known || !ip.known) notJudged.push(unknownAt(formatPath(path)));
    else if (internal.value === ADMIN_PORT && !isLoopback(ip.value ?? "")) publishes(formatPath(path));
  }
  const all = read(props, "publishAllPorts");
  if (all.known && all.value === true) publishes("publishAllPorts");
  return { findings, notJudged };
}

function judgeResource(subject: Subject): Verdict {
  const endpoints = judgeEndpoints(endpointsOf(subject));
  const ports = judgePorts(subject);
  if ("notApplicable" in endpoints)
    return ports.findings.length + ports.notJudged.length > 0 ? ports : endpoints;
  return {
    findings: [...endpoints.findings, ...ports.findings],
    notJudged: [...endpoints.notJudged, ...ports.notJudged],
  };
}

/** Routes of an edge to the management port of a host that is known as the mail server. */
function judgeStack(resources: readonly Subject[]): Verdict {
  const readings = resources.flatMap((resource) => {
    const reading = caddyOf(resource);
    return reading ? [{ ...reading, urn: resource.urn }] : [];
  });
  if (readings.length === 0) return { notApplicable: "no Caddy config is in the stack" };
  const { hosts } = mailHostsOf(
    readings.flatMap(({ configs }) => configs),
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
  return { findings, notJudged: readings.flatMap(({ gaps, urn }) => gaps.map((gap) => ({ ...gap, urn }))) };
}
