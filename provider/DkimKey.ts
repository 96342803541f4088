import * as pulumi from "@pulumi/pulumi";

import type { DkimAlgorithm } from "../lib/dns/dkim.ts";

/** Arguments of {@link DkimKey}. */
export interface DkimKeyArgs {
  /** Where receivers find it: `<selector>._domainkey` of each domain. */
  selector: string;
  /** What it is of. A selector keeps its key: another algorithm takes another one. @default rsa */
  algorithm?: DkimAlgorithm;
}

/**
 * A key by which mail is signed (DKIM): RSA of 2048 bits or ed25519, made at the first deploy,
 * served by the plugin beside this file. It lies encrypted in the state.
 *
 * @example new DkimKey("tw2026", { selector: "tw2026" }, { provider })
 */
export class DkimKey extends pulumi.CustomResource {
  /** In PEM (PKCS #8). A secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** What the record at `<selector>._domainkey.<domain>` says. */
  declare readonly record: pulumi.Output<string>;

  constructor(name: string, args: DkimKeyArgs, options: pulumi.CustomResourceOptions = {}) {
    super(
      "tailwart:dns:DkimKey",
      name,
      { ...args, privateKey: undefined, record: undefined },
      { ...options, additionalSecretOutputs: ["privateKey"] },
    );
  }
}
