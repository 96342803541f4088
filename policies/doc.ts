import type { PolicyConfigSchema } from "@pulumi/policy";

import { lessonPage } from "../lib/citations.ts";
import { table } from "../lib/markdown.ts";
import { EXCEPTIONS_DESCRIPTION, EXCEPTIONS_SCHEMA } from "./framework/exceptions-policy.ts";
import { EXCEPTIONS_FILE } from "./framework/exceptions.ts";
import { EXCEPTIONS_POLICY } from "./framework/pack-state.ts";
import { COMMON_SCHEMA } from "./framework/policy-settings.ts";
import { allPolicies, type AnyPolicy } from "./rules/index.ts";

/** POLICIES.md: what the pack judges, made from the policies' own metadata. */
export function policiesDoc(policies: readonly AnyPolicy[] = allPolicies): string {
  return `<!-- Made by \`npm run docs\` from policies/rules/index.ts. -->
# Policies

The pack refuses what took the mail stack down before. Policies with a ★ judge the resources of any stack; the others
concern tailwart's own. *mandatory* fails the preview; what a policy cannot judge yet (an output, a name that nobody
could ask for) is listed as *Not judged*, never passed over. How the pack is added to a stack:
[policies/README.md](policies/README.md).

${table(["policy", "★", "what holds", "severity", "level", "lesson"], policies.map(row))}

${settingsOfAll()}
${exceptionsDoc()}
${policies.map(policyDoc).join("\n")}`;
}

const row = (p: AnyPolicy): string[] => [
  `[${p.id}](#${p.id})`,
  p.portable ? "★" : "",
  p.description,
  p.severity,
  p.enforcementLevel,
  p.lesson === undefined ? "" : `[${p.lesson}](${lessonPage(p.lesson)})`,
];

const LEVEL = [
  "`<policy>.enforcementLevel`",
  "string",
  "`advisory`, `mandatory` or `disabled`, in place of the policy's own. A string in place of the object means the same.",
];

function settingsOfAll(): string {
  return `## Settings
\`--policy-pack-config FILE\` takes a JSON object of policies. A wrong key is refused with its path, before anything is judged.

\`\`\`json
{
  "all": "mandatory",
  "image-pinned-by-digest": { "enforcementLevel": "advisory", "severity": "low" }
}
\`\`\`

Every policy takes these; what it takes besides stands in its section.

${keys("<policy>", COMMON_SCHEMA, [LEVEL])}
`;
}

function exceptionsDoc(): string {
  return `## Exceptions
A finding that has to stand for a while is excepted in \`${EXCEPTIONS_FILE}\`, beside the program's \`Pulumi.yaml\`:

\`\`\`jsonc
{
  "exceptions": [
    {
      "policy": "image-pinned-by-digest",
      // A URN with a type and a name, in which * stands for any text.
      "urn": "urn:pulumi:prod::shop::docker:index/container:Container::legacy-*",
      // The place that the finding names, so that the next mistake there is seen; all, where left out.
      "where": "image",
      "reason": "the vendor publishes no digests before May",
      // The last day on which it holds (UTC).
      "expires": "2027-05-31"
    }
  ]
}
\`\`\`

The finding is still reported, as an advice that begins with *Excepted until* and the reason. A finding over the stack as a
whole has the URN of the stack's own resource, \`urn:pulumi:STACK::PROJECT::pulumi:pulumi:Stack::PROJECT-STACK\`. What a policy
could not judge needs no exception.

### ${EXCEPTIONS_POLICY}
${EXCEPTIONS_DESCRIPTION} Mandatory, so that an exception that has expired ends a preview, and an update before it has changed anything.
All exceptions that are in force are listed, and at the end those that matched no finding, unless their URN is one of
another stack. A file with a wrong key, an unknown policy, a missing reason, a bad date or the same exception twice is
refused, before anything is judged.

${keys(EXCEPTIONS_POLICY, EXCEPTIONS_SCHEMA.properties)}
`;
}

function policyDoc(policy: AnyPolicy): string {
  const judged = [
    ...(policy.judgeResource ? ["each resource before it is made"] : []),
    ...(policy.judgeStack ? ["the stack as a whole"] : []),
  ];
  return `## ${policy.id}
${policy.description}

- Why: ${policy.why}.
- Judges ${judged.join(", and ")}.
- To mend it: ${policy.remediation}
- Source: <${policy.url}>
${settingsDoc(policy)}`;
}

function settingsDoc({ id, settings }: AnyPolicy): string {
  return settings ? `\n${keys(id, settings.schema.properties)}\n` : "";
}

/** A table of keys. */
function keys(id: string, properties: PolicyConfigSchema["properties"] = {}, first: string[][] = []): string {
  const rows = Object.entries(properties).map(([name, property]) => {
    const { type, enum: values, description = "" } = property as Record<string, unknown>;
    const choice = Array.isArray(values)
      ? ` One of ${values.map((value) => `\`${value}\``).join(", ")}.`
      : "";
    return [`\`${id}.${name}\``, String(type ?? ""), `${String(description)}${choice}`];
  });
  return table(["key", "type", "what"], [...first, ...rows]);
}
