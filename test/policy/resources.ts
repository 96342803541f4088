import { urnOf, type TestResource } from "./harness.ts";

/** Resources that the policies' tests have in common; a test adds what it is about. */

export const CONTAINER = "docker:index/container:Container";

export const resource = (
  type: string,
  name: string,
  props: object,
  more: Partial<TestResource> = {},
): TestResource => ({ type, name, props, ...more });

/** Labels of a container of tailwart's. */
export const labels = (role: unknown): object[] => [
  { label: "tailwart.stack", value: "lab" },
  { label: "tailwart.role", value: role },
];

/** The resources that inputs come from, for the `more` of a resource. */
export const comesFrom = (sources: Readonly<Record<string, readonly TestResource[]>>) => ({
  propertyDependencies: Object.fromEntries(
    Object.entries(sources).map(([input, from]) => [input, from.map(urnOf)]),
  ),
});

/**
 * The settings resource, with keys as they go through the API and as they stand in the config file.
 */
export const keys = (settings: unknown, fileSettings: unknown = {}): TestResource =>
  resource("tailwart:mail:Settings", "settings", { settings, fileSettings });

/** The component, with its desired state. */
export const args = (settings: unknown): TestResource =>
  resource("tailwart:mail:MailSettings", "mail", { settings });

/** The tailnet's policy file. */
export const acl = (document: unknown, more: object = {}): TestResource =>
  resource("tailscale:index/acl:Acl", "acl", {
    acl: typeof document === "object" ? JSON.stringify(document) : document,
    ...more,
  });

/** What violations say at first: where and what. */
export const headsOf = (violations: readonly string[]): string[] =>
  violations.map((message) => message.split("\n", 1)[0] ?? "");

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
