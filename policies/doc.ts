import { allPolicies, type AnyPolicy } from "./all.ts";

/** POLICIES.md: what the pack judges, made from the policies' own metadata. */
export function policiesDoc(policies: readonly AnyPolicy[] = allPolicies): string {
  return `<!-- Made by \`npm run docs\` from policies/all.ts. -->
# Policies

The pack refuses what took the mail stack down before, in any stack and not only in tailwart's. *mandatory* fails the
preview; what a policy cannot judge yet (an output, a name that nobody could ask for) is listed as *Not judged*, never
passed over.

| policy | what holds | severity | level | lesson |
|---|---|---|---|---|
${policies.map((p) => `| [${p.id}](#${p.id}) | ${p.description} | ${p.severity} | ${p.level} | ${p.lesson} |`).join("\n")}

${policies.map(policyDoc).join("\n")}`;
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
  if (!settings) return "";
  const rows = Object.entries(settings.schema.properties ?? {}).map(([name, property]) => {
    const { type, description = "" } = property as { type?: string; description?: string };
    return `| \`${id}.${name}\` | ${type ?? ""} | ${description} |`;
  });
  return `
Settings (\`--policy-pack-config\`):

| key | type | what |
|---|---|---|
${rows.join("\n")}
`;
}
