// What the internet sees of the stack: every port, its certificate, and what must be closed.
import { ADMIN_PORT, MAIL_SERVICES, type MailService } from "../../lib/mail-services.ts";
import { type Check, fail, type Finding, lesson, ok, skip, unknown, warn, worst } from "../check.ts";
import { covers, daysLeft, isOverdue, isPublicCa } from "../doctor/certificate.ts";
import { dial } from "../dial.ts";
import { type PortSeen, seePort } from "../doctor/ports.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** Each port is spoken with once a run. */
const portOf = (scene: DoctorScene, service: MailService): Promise<PortSeen> =>
  scene.once(`port ${scene.wanAddress}:${service.port}`, () =>
    seePort(service, scene.wanAddress, scene.target.settings.hostname),
  );

const edgeLog = ({ target: { edge } }: DoctorScene) =>
  edge && { fix: `docker --host ${edge.dockerHost} logs --tail 30 ${edge.container}` };

/** A greeting without the list of what the server can. */
const shortened = (banner: string): string => banner.replace(/\[CAPABILITY[^\]]*\] ?/, "");

/** One public port serves: it greets and does TLS, seen from the internet. */
const publicPort = (service: MailService): Check<DoctorScene> => ({
  id: `port-${service.port}`,
  perEdge: true,
  from: "outside",
  needs: ["edge"],
  lesson: lesson(5),
  async look(scene) {
    if (!scene.target.services.some(({ port }) => port === service.port))
      return skip(`${service.name} is not offered`);
    const { banner, trouble } = await portOf(scene, service);
    if (trouble === "") return ok(`${service.name} serves: ${shortened(banner) || "TLS"}`);
    const where = `${scene.wanAddress}:${service.port}`;
    if (service.port === 25 && /ETIMEDOUT|no answer/.test(trouble))
      return warn(`no connection from here to ${where}: ${trouble}`, {
        advice: "the edge's own port 25 answers: many networks let nothing out to port 25; look from another",
      });
    return fail(`${service.name} does not serve on ${where}: ${trouble}`, {
      advice: "a firewall before the edge, or Caddy",
      ...edgeLog(scene),
    });
  },
});

export const publicPorts: readonly Check<DoctorScene>[] = Object.values(MAIL_SERVICES).map(publicPort);

/** The certificate that each port shows: whose, for which names, until when, by whom. */
export const certificates: Check<DoctorScene> = {
  id: "certificates",
  perEdge: true,
  from: "outside",
  needs: ["edge"],
  lesson: lesson(2),
  async look(scene) {
    const seen = await Promise.all(scene.target.services.map((service) => portOf(scene, service)));
    const shown = seen.filter((each) => each.certificate !== undefined);
    if (shown.length === 0) return unknown("no port has shown a certificate");
    const findings = shown.map((port) => judge(scene, port, new Date()));
    return worst(findings) ?? unknown("no port has shown a certificate");
  },
};

/** What is wrong with a port's certificate, if anything. */
export function judge({ target }: DoctorScene, { port, certificate }: PortSeen, now: Date): Finding {
  if (certificate === undefined) return unknown(`port ${port} has shown no certificate`);
  const { names, issuer, selfSigned, distrust } = certificate;
  const { hostname, acme = [] } = target.settings;
  const days = daysLeft(certificate, now);
  const log = {
    fix: `docker --host ${target.kvm.dockerHost} logs ${target.kvm.stalwart} 2>&1 | grep -i acme`,
  };
  if (selfSigned && acme.length > 0)
    return fail(`port ${port} shows a certificate that Stalwart has signed itself: none was issued`, {
      advice: "ACME's own words stand in Stalwart's log, after up to 17 minutes of retries",
      ...log,
    });
  if (selfSigned)
    return warn(`port ${port} shows a certificate that Stalwart has signed itself`, {
      advice: "tailwart:acme names no client, so mail programs warn",
    });
  if (certificate.until < now)
    return fail(`the certificate of port ${port} has ended ${-days} days ago`, log);
  if (!covers(names, hostname))
    return fail(`the certificate of port ${port} is for ${names.join(", ")}, and not for ${hostname}`, log);
  if (distrust !== "" && acme.some(({ directory }) => isPublicCa(directory)))
    return fail(`the certificate of port ${port}, by ${issuer}, is not trusted: ${distrust}`, log);
  if (isOverdue(certificate, now))
    return warn(`the certificate of port ${port} ends in ${days} days and was not renewed`, log);
  return ok(`every port shows one for ${names.join(", ")}, by ${issuer}, ${days} days left`);
}

/** Management is never public (decision 19). */
export const adminClosed: Check<DoctorScene> = {
  id: "admin-closed",
  perEdge: true,
  from: "outside",
  needs: ["edge"],
  lesson: "docs/design.md",
  async look(scene) {
    const { wanAddress, target } = scene;
    if (await answers(wanAddress, ADMIN_PORT))
      return fail(`something answers HTTP on ${wanAddress}:${ADMIN_PORT}`, {
        advice: "the admin listener belongs on the tailnet alone; who has opened the port on the edge?",
        fix: `docker --host ${target.edge?.dockerHost} ps --format '{{.Names}} {{.Ports}}'`,
      });
    const web = target.services.find(({ protocol }) => protocol === "http");
    if (web === undefined) return ok(`nothing answers on ${wanAddress}:${ADMIN_PORT}`);
    const { managementStatus = "", trouble } = await portOf(scene, web);
    if (trouble !== "") return ok(`:${ADMIN_PORT} is closed, and so is :443 for now`);
    if (managementStatus !== "404")
      return fail(`the management API answers on public :443 with HTTP ${managementStatus}`, {
        advice: "Stalwart's rules for its listeners are not those of the config",
        fix: "pulumi up --refresh",
      });
    return ok(`:${ADMIN_PORT} is closed, and the API is 404 on :443`);
  },
};

/** Whether a port talks HTTP to whoever asks. */
async function answers(host: string, port: number): Promise<boolean> {
  const stream = dial(host, port);
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 4_000);
      const end = (open: boolean) => (clearTimeout(timer), resolve(open));
      stream.on("error", () => end(false)).on("close", () => end(false));
      stream.on("data", (chunk: Buffer) => end(chunk.toString("latin1").startsWith("HTTP/")));
      stream.write("HEAD / HTTP/1.0\r\n\r\n");
    });
  } finally {
    stream.destroy();
  }
}
