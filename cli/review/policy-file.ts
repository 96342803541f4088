import { applyEdits, modify, type ParseError, parse } from "jsonc-parser";

import type { EngineEvent } from "./events.ts";

const LAYOUT = { formattingOptions: { tabSize: 2, insertSpaces: true, eol: "\n" } };

/**
 * The tailnet policy file that a preview would write, with the tests that the program would have
 * evaluated after it: so a control server can evaluate them before (`/acl/validate`).
 *
 * @returns undefined where the stack has none, or it is known only after the update
 */
export function policyFileIn(events: readonly EngineEvent[]): string | undefined {
  const inputs = events.flatMap(({ resourcePreEvent }) => {
    const { type = "", new: made } = resourcePreEvent?.metadata ?? {};
    return made?.inputs ? [{ type, inputs: made.inputs }] : [];
  });
  const acl = inputs.find(({ type }) => type === "tailscale:index/acl:Acl")?.inputs["acl"];
  if (typeof acl !== "string" || !acl.includes("{")) return undefined;
  const errors: ParseError[] = [];
  const document = parse(acl, errors, { allowTrailingComma: true }) as { tests?: unknown } | undefined;
  if (errors.length > 0) return acl;
  const own = Array.isArray(document?.tests) ? (document.tests as unknown[]) : [];
  const known = new Set(own.map((each) => JSON.stringify(each)));
  const asked = inputs.flatMap(({ inputs: { stdin } }) => testsOf(stdin, acl));
  const added = [...new Map(asked.map((each) => [JSON.stringify(each), each]))].filter(
    ([text]) => !known.has(text),
  );
  if (added.length === 0) return acl;
  return applyEdits(acl, modify(acl, ["tests"], [...own, ...added.map(([, each]) => each)], LAYOUT));
}

/** Of a command that is told the same document, and what to ask of it (verify/policy.ts). */
function testsOf(stdin: unknown, acl: string): unknown[] {
  if (typeof stdin !== "string" || !stdin.startsWith('{"desired":')) return [];
  const { desired, tests } = JSON.parse(stdin) as { desired?: unknown; tests?: unknown };
  return desired === acl && Array.isArray(tests) ? tests : [];
}
