import { readFileSync } from "node:fs";

import { Command } from "@pulumi/command/local/command.js";
import { Acl } from "@pulumi/tailscale/acl.js";
import * as pulumi from "@pulumi/pulumi";

import { UserError } from "../lib/errors.ts";
import type { Flow } from "../lib/tailnet/flows.ts";
import { grantsFor, tagOwnersFor, testsFor } from "../lib/tailnet/grants.ts";
import type { ProxyPorts } from "../lib/tailnet/policy-checks.ts";
import { mergePolicy } from "../lib/tailnet/policy-document.ts";
import type { PolicyOrder } from "../verify/policy.ts";
import { apiEnvironment } from "./api-environment.ts";

/** What tailwart needs of the policy file, and the user's own. */
export interface TailnetPolicyArgs {
  flows: Flow[];
  tags: string[];
  tagOwners: string[];
  /**
   * Name on the tailnet → the tags that its node carries. Only policies read it: a name in the
   * settings says nothing of grants.
   */
  nodes: Record<string, string[]>;
  /** Ports of Stalwart that only the edge may reach. */
  proxy: ProxyPorts;
  /** The user's own policy file. Every byte of it stays as it is. */
  policyFile: string;
}

/**
 * The tailnet's policy file: the user's own document with tailwart's grants and tag owners in it
 * (decision 10).
 *
 * The Acl is protected, never reset on destroy, and never overwrites what it did not read: a policy
 * that is there already is imported first (`npm run adopt`), and a hand edit made since refuses the
 * deploy.
 */
export class TailnetPolicy extends pulumi.ComponentResource {
  readonly acl: Acl;
  readonly #order: PolicyOrder;
  readonly #environment: Record<string, pulumi.Input<string>>;

  constructor(name: string, args: TailnetPolicyArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("tailwart:mail:TailnetPolicy", name, args, opts);
    const document = mergePolicy(
      readPolicyFile(args.policyFile),
      { grants: grantsFor(args.flows), tagOwners: tagOwnersFor(args.tags, args.tagOwners) },
      { path: args.policyFile, proxy: args.proxy },
    );
    this.#order = { desired: document, policyFile: args.policyFile, tests: testsFor(args.flows) };
    this.#environment = apiEnvironment();

    const guard = this.#look(`${name}-drift`, "drift", { parent: this });
    this.acl = new Acl(
      `${name}-acl`,
      { acl: document, overwriteExistingContent: false, resetAclOnDestroy: false },
      { parent: this, protect: true, dependsOn: [guard] },
    );
    this.registerOutputs({});
  }

  /**
   * Has the control server evaluate the flow table's tests, once the nodes are up. Not a child of
   * the policy: what depends on the policy would wait for it, and it waits for them.
   */
  test(name: string, opts: pulumi.CustomResourceOptions): Command {
    return this.#look(name, "tests", opts);
  }

  #look(name: string, verb: "drift" | "tests", opts: pulumi.CustomResourceOptions): Command {
    return new Command(
      name,
      {
        create: "node verify/policy.ts $VERB",
        environment: { VERB: verb, ...this.#environment },
        stdin: JSON.stringify(this.#order),
      },
      opts,
    );
  }
}

function readPolicyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError(`tailwart:tailnet.policyFile names ${path}, which cannot be read`, {
      path: "tailwart:tailnet.policyFile",
      hint: "save the tailnet's policy file there (admin console, Access controls)",
      cause,
    });
  }
}
