import { afterEach, expect, test, vi } from "vitest";

import { requireLabMachine } from "../../../lab/topology.ts";
import { UserError } from "../../../lib/errors.ts";

afterEach(() => void vi.restoreAllMocks());

/** What is said where a lab cannot be. */
function said(platform: NodeJS.Platform, uid: number): UserError | undefined {
  vi.spyOn(process, "platform", "get").mockReturnValue(platform);
  vi.spyOn(process, "getuid").mockReturnValue(uid);
  try {
    requireLabMachine();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return undefined;
}

test("who is on another system or not root is told what can be done there, and not sent to production", () => {
  for (const error of [said("darwin", 501), said("linux", 1000)]) {
    expect(error?.hint).toContain("npm run review");
    expect(`${error?.message} ${error?.hint}`).not.toMatch(/prod|pulumi up/);
  }
});

test("root on Linux may have a lab", () => expect(said("linux", 0)).toBeUndefined());
