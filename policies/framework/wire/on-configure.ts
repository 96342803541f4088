import type { EnforcementLevel } from "@pulumi/policy";
import type {
  ConfigureAnalyzerRequest,
  EnforcementLevel as WireLevel,
} from "@pulumi/pulumi/proto/analyzer_pb.js";

import type { PolicyConfig } from "../pack-state.ts";
import { changeService, type Method, sdkMember } from "./analyzer-service.ts";

type Configure = Method<ConfigureAnalyzerRequest, never>;

const INVALID_ARGUMENT = sdkMember<number>("@grpc/grpc-js", "status.INVALID_ARGUMENT");
const convertEnforcementLevel = sdkMember<(level: WireLevel) => EnforcementLevel>(
  "./protoutil.js",
  "convertEnforcementLevel",
);

/**
 * Calls back with the whole of `--policy-pack-config`, before the SDK takes it; to be called before
 * the pack is made. The SDK hands each policy its own part at each resource and drops the rest, so
 * that a misspelt policy would silently do nothing; it has no place for a question about the whole,
 * hence this step in front of its gRPC method. What the callback throws, the engine shows as the
 * pack's refusal, and stops.
 */
export function onPolicyConfig(take: (config: ReadonlyMap<string, PolicyConfig>) => void): void {
  const read = (request: ConfigureAnalyzerRequest): Map<string, PolicyConfig> => {
    const config = new Map<string, PolicyConfig>();
    for (const [id, part] of request.getPolicyconfigMap().entries()) {
      const enforcementLevel = convertEnforcementLevel(part.getEnforcementlevel());
      config.set(id, { enforcementLevel, properties: part.getProperties()?.toJavaScript() ?? {} });
    }
    return config;
  };

  changeService<{ configure: Configure }>(({ configure }) => ({
    configure: (call, callback) => {
      try {
        take(read(call.request));
      } catch (error) {
        const { stack, message } = error as Error;
        return callback({ code: INVALID_ARGUMENT, details: stack ?? message });
      }
      return configure(call, callback);
    },
  }));
}
