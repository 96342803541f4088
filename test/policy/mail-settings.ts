import type { TestResource } from "./harness.ts";

/**
 * The settings resource, with keys as they go through the API and as they stand in the config file.
 */
export const keys = (settings: unknown, fileSettings: unknown = {}): TestResource => ({
  type: "tailwart:mail:Settings",
  name: "settings",
  props: { settings, fileSettings },
});

/** The component, with its desired state. */
export const args = (settings: unknown): TestResource => ({
  type: "tailwart:mail:MailSettings",
  name: "mail",
  props: { settings },
});
