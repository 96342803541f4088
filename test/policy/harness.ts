import { createRequire } from "node:module";
import type { AnyPolicy } from "../../policies/rules/index.ts";
import { answersOf } from "../../policies/framework/wire/serve.ts";
import { PackRun } from "../../policies/framework/pack-state.ts";
import { toSdkPolicy, type SdkPolicy } from "../../policies/framework/sdk-policy.ts";
import {
  specialArchiveSig,
  specialAssetSig,
  specialSecretSig,
  specialSigKey,
} from "../../policies/framework/wire/inputs.ts";

/**
 * Runs a policy the way the engine does, without a server: through what the pack serves and the
 * real wire format, so that unknowns throw, secrets arrive as plain text, and `notApplicable` and
 * levels mean what they mean in a preview.
 */

const require = createRequire(import.meta.url);
// A deep module of the SDK that has no declarations for what is used here.
const proxy = require("@pulumi/policy/proxy.js") as Record<string, string>;
const analyzer = require("@pulumi/pulumi/proto/analyzer_pb.js") as Record<string, new () => Message>;
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: { fromJavaScript(value: object): unknown };
};

type Message = Record<string, (...args: unknown[]) => unknown>;
type Callback = (error: Error | undefined, response: AnalyzeResponse) => void;
type Rpc = (call: { request: Message }, callback: Callback) => Promise<void>;
interface AnalyzeResponse {
  toObject(): {
    diagnosticsList: {
      message: string;
      enforcementlevel: number;
      urn: string;
      policyname: string;
      severity: number;
    }[];
    notApplicableList: { policyName: string; reason: string }[];
  };
}

/** What the engine sends in place of a string, list or object that is unknown at preview. */
export const UNKNOWN = proxy["unknownStringValue"] ?? "";
export const UNKNOWN_LIST = proxy["unknownArrayValue"] ?? "";
export const UNKNOWN_OBJECT = proxy["unknownObjectValue"] ?? "";

/** A secret, as the engine sends it. `run…` fails when a message repeats it. */
export class Secret {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}
export const secret = (value: unknown): Secret => new Secret(value);

/** A text asset, and an archive of some, as the engine sends them. */
export const textAsset = (text: string): object => ({ [specialSigKey]: specialAssetSig, text });
export const archiveOf = (assets: Record<string, object>): object => ({
  [specialSigKey]: specialArchiveSig,
  assets,
});

export interface TestResource {
  readonly type: string;
  readonly props: object;
  readonly name?: string;
  /** @default false */
  readonly protect?: boolean;
  /** URN of the parent, for a component's child; see urnOf. */
  readonly parent?: string;
  /** Input → URNs of the resources that it comes from; a stack policy sees them. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

export interface Outcome {
  /** Messages at the policy's own level. */
  readonly violations: string[];
  /** Lines of "Not judged:" messages: place and reason. */
  readonly notJudged: string[];
  readonly notApplicable?: string;
  /** Set when an unknown value ended the rule: what it had not judged yet passed unseen. */
  readonly blind?: string;
}

/** What a policy says of what keeps it. */
export const PASSED: Outcome = { violations: [], notJudged: [] };

export interface RunOptions {
  /** The policy's part of --policy-pack-config. */
  readonly config?: Record<string, unknown>;
}

function encode(value: unknown, secrets: string[]): unknown {
  if (value instanceof Secret) {
    secrets.push(...(JSON.stringify(value.value).match(/[\w!%+/=-]{6,}/g) ?? []));
    return { [specialSigKey]: specialSecretSig, value: encode(value.value, secrets) };
  }
  if (Array.isArray(value)) return value.map((item) => encode(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, encode(item, secrets)]));
}

/** The URN that a test resource gets; stack findings name it. */
export const urnOf = (resource: TestResource): string =>
  `urn:pulumi:test::tailwart::${resource.type}::${resource.name ?? "resource"}`;

function fill(message: Message, resource: TestResource, secrets: string[]): Message {
  message["setType"]?.(resource.type);
  message["setName"]?.(resource.name ?? "resource");
  message["setUrn"]?.(urnOf(resource));
  message["setProperties"]?.(Struct.fromJavaScript(encode(resource.props, secrets) as object));
  const options = make("AnalyzerResourceOptions");
  options["setProtect"]?.(resource.protect ?? false);
  options["setParent"]?.(resource.parent ?? "");
  message["setOptions"]?.(options);
  if (resource.parent) message["setParent"]?.(resource.parent);
  const dependencies = message["getPropertydependenciesMap"]?.() as Map<string, Message> | undefined;
  for (const [input, urns] of Object.entries(resource.propertyDependencies ?? {})) {
    const list = make("AnalyzerPropertyDependencies");
    list["setUrnsList"]?.(urns);
    dependencies?.set(input, list);
  }
  return message;
}

function make(kind: string): Message {
  const Constructor = analyzer[kind];
  if (!Constructor) throw new Error(`the SDK has no message ${kind}`);
  return new Constructor();
}

/** One of the engine's questions, put to what the pack serves. */
type Ask = (policies: readonly SdkPolicy[]) => Rpc;
const pack = { name: "test", version: "0.0.0" };
const aboutResource: Ask = (policies) => answersOf({ ...pack, policies }).analyze as unknown as Rpc;
const aboutStack: Ask = (policies) => answersOf({ ...pack, policies }).analyzeStack as unknown as Rpc;

/** A request as the pack's server gets it. */
function overTheWire(request: Message): Message {
  const bytes = request["serializeBinary"]?.();
  return (request.constructor as unknown as { deserializeBinary(bytes: unknown): Message }).deserializeBinary(
    bytes,
  );
}

async function ask(
  about: Ask,
  served: readonly SdkPolicy[],
  request: Message,
): Promise<ReturnType<AnalyzeResponse["toObject"]>> {
  const answer = await new Promise<AnalyzeResponse>((resolve, reject) => {
    const done: Callback = (error, response) => (error ? reject(error) : resolve(response));
    about(served)({ request: overTheWire(request) }, done).catch(reject);
  });
  return answer.toObject();
}

/** What a policy has to say of itself, where a test reads none of it. */
export const SOME_POLICY = {
  description: "D.",
  severity: "low",
  enforcementLevel: "mandatory",
  remediation: "R.",
  url: "u",
  why: "w",
  portable: true,
} as const;

/** A policy beside the one under test, as in a pack: it is shown every resource. */
const BYSTANDER: AnyPolicy = {
  ...SOME_POLICY,
  id: "bystander",
  judgeResource: () => ({ findings: [], notJudged: [] }),
};

/** @param before resources that the engine has asked the resource policies about first */
async function analyze(
  about: Ask,
  policy: AnyPolicy,
  request: Message,
  secrets: string[],
  options: RunOptions,
  before: readonly Message[] = [],
): Promise<Outcome> {
  const run = new PackRun([policy], "/");
  run.configure(
    new Map([[policy.id, { enforcementLevel: policy.enforcementLevel, properties: options.config ?? {} }]]),
  );
  for (const resource of before) await ask(aboutResource, [toSdkPolicy(BYSTANDER, run)], resource);
  const { diagnosticsList, notApplicableList } = await ask(about, [toSdkPolicy(policy, run)], request);
  for (const { message } of diagnosticsList) {
    const leaked = secrets.find((text) => message.includes(text));
    if (leaked !== undefined)
      throw new Error(`${policy.id} repeats a secret of ${leaked.length} characters in its message`);
  }
  const messages = diagnosticsList.map((diagnostic) => diagnostic.message);
  const blind = messages.find((message) => message.startsWith("can't run policy"));
  const notJudged = messages.filter((message) => message.startsWith("Not judged:"));
  const reason = notApplicableList[0]?.reason;
  return {
    violations: messages.filter((message) => message !== blind && !notJudged.includes(message)),
    notJudged: notJudged.flatMap((message) => message.split("\n").slice(1)).map((line) => line.trim()),
    ...(reason !== undefined && { notApplicable: reason }),
    ...(blind !== undefined && { blind }),
  };
}

const requestOf = (resource: TestResource, secrets: string[]): Message =>
  fill(make("AnalyzeRequest"), resource, secrets);

function stackRequestOf(resources: readonly TestResource[], secrets: string[]): Message {
  const request = make("AnalyzeStackRequest");
  request["setResourcesList"]?.(
    resources.map((resource) => fill(make("AnalyzerResource"), resource, secrets)),
  );
  return request;
}

/** Runs a policy's judgeResource on one resource. */
export function runPolicy(
  policy: AnyPolicy,
  resource: TestResource,
  options: RunOptions = {},
): Promise<Outcome> {
  const secrets: string[] = [];
  return analyze(aboutResource, policy, requestOf(resource, secrets), secrets, options);
}

/** Runs a policy's judgeStack on a stack's resources. */
export function runStackPolicy(
  policy: AnyPolicy,
  resources: readonly TestResource[],
  options: RunOptions = {},
): Promise<Outcome> {
  const secrets: string[] = [];
  // The engine shows a stack policy what a component has registered as outputs, and tailwart's
  // register none.
  const isComponent = ({ type }: TestResource) => /^tailwart:mail:(?!(?:Settings|Registry)$)/.test(type);
  const shown = resources.map((resource) => (isComponent(resource) ? { ...resource, props: {} } : resource));
  const before = resources.filter(isComponent).map((resource) => requestOf(resource, secrets));
  const request = stackRequestOf(shown, secrets);
  return analyze(aboutStack, policy, request, secrets, options, before);
}

/** What one of several served policies says, as the engine gets it. */
export interface Diagnostic {
  readonly policy: string;
  readonly level: "advisory" | "mandatory";
  readonly severity: "low" | "medium" | "high" | "critical" | undefined;
  readonly message: string;
  /** Empty for the resource that was asked about. */
  readonly urn: string;
}

/** Asks served policies about one resource, or, with a list, about a stack. */
export async function askServed(
  served: readonly SdkPolicy[],
  about: TestResource | readonly TestResource[],
): Promise<Diagnostic[]> {
  const { diagnosticsList } = Array.isArray(about)
    ? await ask(aboutStack, served, stackRequestOf(about as TestResource[], []))
    : await ask(aboutResource, served, requestOf(about as TestResource, []));
  return diagnosticsList.map(({ policyname, enforcementlevel, severity, message, urn }) => ({
    policy: policyname,
    level: enforcementlevel === 0 ? "advisory" : "mandatory",
    severity: ([undefined, "low", "medium", "high", "critical"] as const)[severity],
    message,
    urn,
  }));
}
