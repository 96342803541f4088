import type { PolicyResource } from "../framework/policy.ts";
import { walk } from "../framework/values.ts";

/** A server's settings: flat keys (0.15), among them those of the config file. */
export const SETTINGS = "tailwart:mail:Settings";
/** A server's settings from 0.16 on, as objects of its registry. */
export const REGISTRY = "tailwart:mail:Registry";
/** The component whose args are the desired state of a server of any line. */
export const MAIL_SETTINGS = "tailwart:mail:MailSettings";
export const EDGE = "tailwart:mail:CaddyEdge";
export const SIDECAR = "tailwart:mail:TailnetSidecar";
export const TAILNET_POLICY = "tailwart:mail:TailnetPolicy";
/** The component that has the domains' DKIM keys and records. */
export const MAIL_DNS = "tailwart:mail:MailDns";
/** The records themselves: many names in one resource. */
export const RECORD_SET = "tailwart:dns:RecordSet";

/** Resources that hold a server's settings as 0.15's keys or as desired state. */
export const SETTINGS_TYPES: readonly string[] = [SETTINGS, MAIL_SETTINGS];

export const isOwn = ({ type }: Pick<PolicyResource, "type">): boolean => type.startsWith("tailwart:mail:");

/** Texts in the args of tailwart's own resources, by their path, such as `tailnet.domain`. */
export function ownTexts(resources: readonly PolicyResource[], path: RegExp): string[] {
  return resources
    .filter(isOwn)
    .flatMap(({ props }) => walk(props).leaves)
    .filter((leaf) => path.test(leaf.path.join(".")))
    .flatMap(({ value }) => (typeof value === "string" ? [value] : []));
}
