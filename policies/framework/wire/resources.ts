import type * as messages from "@pulumi/pulumi/proto/analyzer_pb.js";

import type { PolicyResource } from "../policy.ts";
import { inputsOf } from "./inputs.ts";

/** A resource as the SDK shows it (server.js), but for what no policy here reads. */
export function resourceOf(message: messages.AnalyzeRequest | messages.AnalyzerResource): PolicyResource {
  const options = message.getOptions();
  const parent = options?.getParent();
  return {
    type: message.getType(),
    name: message.getName(),
    urn: message.getUrn(),
    props: inputsOf(message.getProperties()),
    opts: { protect: options?.getProtect() ?? false, ...(parent && { parent }) },
  };
}

/** The stack's resources, each with those of them that its inputs come from. */
export function resourcesOf(request: messages.AnalyzeStackRequest): PolicyResource[] {
  const all = request.getResourcesList().map((message) => {
    const propertyDependencies: Record<string, readonly PolicyResource[]> = {};
    return { message, resource: { ...resourceOf(message), propertyDependencies } };
  });
  const byUrn = new Map(all.map(({ resource }) => [resource.urn, resource]));
  for (const { message, resource } of all) {
    for (const [input, urns] of message.getPropertydependenciesMap().entries()) {
      const sources = urns.getUrnsList().map((urn) => byUrn.get(urn));
      resource.propertyDependencies[input] = sources.filter((source) => source !== undefined);
    }
  }
  return all.map(({ resource }) => resource);
}
