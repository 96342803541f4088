import * as pulumi from "@pulumi/pulumi";

/** What a container is for. The policies and the start script find it by this label. */
export type Role = "anchor" | "sidecar" | "files" | "stalwart" | "edge";

/** The stack's name as a label: tells this stack's containers from others on the same host. */
export function stackLabel(): string {
  return `${pulumi.getProject()}/${pulumi.getStack()}`;
}

/** Labels that every container of the stack carries. */
function roleLabels(role: Role): { label: string; value: string }[] {
  return [{ label: "tailwart.role", value: role }, ...stackLabels()];
}

/** Labels of what has no role of its own, such as a network. */
export function stackLabels(): { label: string; value: string }[] {
  return [{ label: "tailwart.stack", value: stackLabel() }];
}

/**
 * The name of a container or volume on its Docker host. Two stacks on one host never share one.
 *
 * @example nameOnHost("anchor") === "tailwart-prod-anchor"
 */
export function nameOnHost(part: string): string {
  return `${pulumi.getProject()}-${pulumi.getStack()}-${part}`;
}

/**
 * No health check, whatever the image has. A time that is left out is the image's, and reads back
 * as a difference (Docker's daemon/commit.go, `merge`): so each is given, though none is used.
 */
const NO_HEALTHCHECK = {
  tests: ["NONE"],
  interval: "30s",
  timeout: "5s",
  startPeriod: "30s",
  retries: 3,
};

/** Log rotation, since a mail server's log would otherwise fill the VPS's disk. */
const LOGGING = { logDriver: "json-file", logOpts: { "max-size": "10m", "max-file": "5" } };

/** What every container of the stack has: no health check, and no capability but those it adds. */
export function bare(role: Role, adds: string[] = []) {
  return {
    capabilities: { drops: ["ALL"], ...(adds.length > 0 && { adds }) },
    healthcheck: NO_HEALTHCHECK,
    labels: roleLabels(role),
  };
}

/** What a container that runs has besides: its name, restarts and rotated logs. */
export function hardened(role: Role, { adds = [] as string[], noNewPrivileges = true } = {}) {
  return {
    ...LOGGING,
    ...bare(role, adds),
    name: nameOnHost(role),
    restart: "always",
    ...(noNewPrivileges && { securityOpts: ["no-new-privileges:true"] }),
  };
}

/** A resource whose name is taken must go before its successor can come. */
export const FIXED_NAME = { deleteBeforeReplace: true };
