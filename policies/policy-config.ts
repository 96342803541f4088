import { createRequire } from "node:module";
import type { EnforcementLevel } from "@pulumi/policy";
import type {
  ConfigureAnalyzerRequest,
  EnforcementLevel as WireLevel,
} from "@pulumi/pulumi/proto/analyzer_pb.js";

import type { PolicyConfig } from "./pack-run.ts";

interface Call {
  readonly request: ConfigureAnalyzerRequest;
}
type Configure = (call: Call, callback: (error: { code: number; details: string }) => void) => void;
type Implementation = Readonly<Record<string, unknown>> & { readonly configure: Configure };

/**
 * Calls back with the whole of `--policy-pack-config`, before the SDK takes it; to be called before the pack is made. The SDK hands each policy
 * its own part at each resource and drops the rest, so that a misspelt policy would silently do nothing; it has no place for a question about
 * the whole, hence this step in front of its gRPC method. What the callback throws, the engine shows as the pack's refusal, and stops.
 *
 * @param needRemediate policies that the SDK has to call as remediations, whatever their level: see secrets.ts
 */
export function onPolicyConfig(
  needRemediate: ReadonlySet<string>,
  take: (config: ReadonlyMap<string, PolicyConfig>) => void,
): void {
  // The SDK's own copies, which need not be the ones that a program has.
  const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));
  const { Server, status } = sdk("@grpc/grpc-js") as {
    Server: { prototype: { addService: (service: object, implementation: Implementation) => void } };
    status: { INVALID_ARGUMENT: number };
  };
  const { convertEnforcementLevel, mapEnforcementLevel } = sdk("./protoutil.js") as {
    convertEnforcementLevel: (level: WireLevel) => EnforcementLevel;
    mapEnforcementLevel: (level: EnforcementLevel) => WireLevel;
  };

  const read = (request: ConfigureAnalyzerRequest): Map<string, PolicyConfig> => {
    const config = new Map<string, PolicyConfig>();
    for (const [id, part] of request.getPolicyconfigMap().entries()) {
      const enforcementLevel = convertEnforcementLevel(part.getEnforcementlevel());
      config.set(id, { enforcementLevel, properties: part.getProperties()?.toJavaScript() ?? {} });
      if (needRemediate.has(id) && enforcementLevel !== "disabled")
        part.setEnforcementlevel(mapEnforcementLevel("remediate"));
    }
    return config;
  };

  const server = Server.prototype;
  const original = server.addService;
  server.addService = function (service, implementation) {
    const configure: Configure = (call, callback) => {
      try {
        take(read(call.request));
      } catch (error) {
        const { stack, message } = error as Error;
        return callback({ code: status.INVALID_ARGUMENT, details: stack ?? message });
      }
      implementation.configure(call, callback);
    };
    original.call(this, service, { ...implementation, configure });
  };
}
