import type { Violation } from "./violation.ts";

// A policy file that lets everybody in, now and once more on destroy.
export default {
  program: `
    acl("acl", '// mine\\n{ "grants": [{ "src": ["*"], "dst": ["*"], "ip": ["*"] }], }\\n', { resetAclOnDestroy: true, overwriteExistingContent: true });`,
  expected: [
    "resetAclOnDestroy is true, so that destroying the resource gives the tailnet its default policy",
    "overwriteExistingContent is true, so that the first update throws away",
    "acl grants[0] lets everybody reach everything",
    /why: the tailnet has one policy file/,
    /instead: resetAclOnDestroy: false/,
  ],
} satisfies Violation;
