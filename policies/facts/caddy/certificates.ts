import { LETS_ENCRYPT } from "../../../lib/acme-cas.ts";
import { list, record, strings, type Json } from "../../../lib/json-values.ts";
import type { Place } from "../../framework/values.ts";
import { covers, type Certificate, type HttpServer } from "./model.ts";
import { openPlaceholder, plainPattern } from "./placeholders.ts";

/** What Caddy asks no public CA for (certmagic, SubjectQualifiesForPublicCert). */
const NOT_PUBLIC = /^[^.]*$|(?:^|\.)(?:localhost|local|internal|home\.arpa)$|\.ts\.net$|^[\d.]+$|:/;
const LOADED = ["load_files", "load_folders", "load_pem", "load_storage"];

function ordersByAcme(policy: Json | undefined, name: string): boolean {
  const issuers = list(policy?.["issuers"]);
  if (issuers.length > 0)
    return issuers.some((one) => /^(?:acme|zerossl)$/.test(String(record(one)["module"])));
  const isPublic = !NOT_PUBLIC.test(name) || openPlaceholder(name) !== undefined;
  return isPublic && list(policy?.["get_certificate"]).length === 0;
}

const ZEROSSL = "https://acme.zerossl.com/v2/DV90";

/**
 * The CAs that are asked, "" for one that is not known. Where the config names none, the second
 * takes over when the first fails:
 * https://caddyserver.com/docs/automatic-https#issuer-fallback
 *
 * @param global the CA of all that name none of their own
 */
function directoriesOf(policy: Json | undefined, global: unknown): string[] {
  const own = list(policy?.["issuers"]).map(record);
  const all =
    own.length > 0 ? own : [{ module: "acme" }, ...(global === undefined ? [{ module: "zerossl" }] : [])];
  return all.map((issuer) => {
    if (issuer["module"] === "acme") return String(issuer["ca"] ?? global ?? LETS_ENCRYPT);
    return issuer["module"] === "zerossl" ? ZEROSSL : "";
  });
}

/** Certificates that Caddy would get: listed ones, and those that follow from the sites. */
export function certificatesOf(
  tls: Json,
  servers: readonly { readonly node: unknown; readonly server: HttpServer }[],
  place: Place,
): Certificate[] {
  const policies = list(record(tls["automation"])["policies"]).map(record);
  const subjectsOf = (policy: Json): string[] => strings(policy["subjects"]).map(plainPattern);
  const policyOf = (name: string): Json | undefined =>
    policies.find((policy) => subjectsOf(policy).some((subject) => covers(subject, name))) ??
    policies.find((policy) => subjectsOf(policy).length === 0);
  const loaded = record(tls["certificates"]);
  const certificate = (name: string, where: string): Certificate => ({
    where,
    name,
    acme: ordersByAcme(policyOf(name), name),
    directories: directoriesOf(policyOf(name), tls["ca"]),
  });
  const automated = strings(loaded["automate"]).map((name, i) =>
    certificate(plainPattern(name), place(loaded, ["apps", "tls", "certificates", "automate", i])),
  );
  const subjects = policies.flatMap((policy, i) =>
    subjectsOf(policy).map((name, j) =>
      certificate(name, place(policy, ["apps", "tls", "automation", "policies", i, "subjects", j])),
    ),
  );
  const explicit = [...automated, ...subjects];
  // A certificate from a file may cover any site, and Caddy then orders none.
  if (LOADED.some((key) => loaded[key] !== undefined)) return explicit;
  const derived = servers.flatMap(({ node, server }) => {
    const automatic = record(record(node)["automatic_https"]);
    const skipped = new Set(
      [...strings(automatic["skip"]), ...strings(automatic["skip_certificates"])].map(plainPattern),
    );
    if (!server.tls || automatic["disable"] === true || automatic["disable_certificates"] === true) return [];
    return (
      server.sites
        .filter((site) => site.top && !skipped.has(site.name))
        // A wildcard that is ordered anyway serves the site too.
        .filter((site) => !explicit.some((one) => one.name !== site.name && covers(one.name, site.name)))
        .map((site) => certificate(site.name, site.where))
    );
  });
  return [...explicit, ...derived];
}
