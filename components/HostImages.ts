import { RemoteImage } from "@pulumi/docker/remoteImage.js";
import * as pulumi from "@pulumi/pulumi";

/** The images that one Docker host needs. */
export interface HostImagesArgs {
  /** What runs it → the image, pinned by digest. */
  images: Record<string, string>;
}

/**
 * Images, pulled before anything is taken away (decision 18).
 *
 * The provider pulls inside of a container's create, and the old container has been removed by
 * then: an image that cannot be pulled would leave nothing running. So all that changes a host
 * depends on these.
 */
export class HostImages extends pulumi.ComponentResource {
  constructor(name: string, args: HostImagesArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:HostImages", name, args, opts);
    for (const [part, image] of Object.entries(args.images)) {
      // Kept when it is no longer named here: a step back needs no registry.
      new RemoteImage(`${name}-${part}`, { name: image, keepLocally: true }, { parent: this });
    }
    this.registerOutputs({});
  }
}
