import { Container } from "@pulumi/docker/container.js";
import { Volume } from "@pulumi/docker/volume.js";
import * as pulumi from "@pulumi/pulumi";

import type { LeftOut } from "../lib/guards.ts";
import { entrypointEnvironment, STALWART_COMMAND, stalwartFiles } from "../lib/stalwart/files.ts";
import type { Generation } from "../lib/stalwart/release.ts";
import { STALWART_DIRECTORY } from "../lib/stalwart/paths.ts";
import type { StalwartSettings } from "../lib/desired-state/schema.ts";
import { takingOver } from "./leftovers.ts";
import { bare, FIXED_NAME, hardened, nameOnHost } from "./shared.ts";

/** Stalwart's container and the files in it. */
export interface StalwartArgs {
  image: string;
  /**
   * Image of the container that carries the files. It is never started, and must name no USER:
   * Docker would give every uploaded file to that user, or fail on a number without an account.
   */
  filesImage: string;
  dockerHost: string;
  /**
   * `container:<the anchor's id>`: by id, so that a new anchor makes a new Stalwart (lesson 13).
   */
  networkMode: pulumi.Input<string>;
  /** The desired state; what of it belongs to the config file goes there. */
  settings: StalwartSettings;
  /** Path in the container → content. Readable by Stalwart's own user only. */
  secretFiles: Record<string, pulumi.Input<string>>;
  /** How the image's line keeps its settings. */
  generation: Generation;
  /** Further environment, for what a setting reads from there. No secret. */
  env: Record<string, string>;
  /** Whether a server that no longer greets is started over (lesson 16). */
  watch: boolean;
  /** Only a lab leaves guards out. */
  withoutGuards?: LeftOut;
}

/**
 * User and group of the official image from 0.16 on. The image of 0.15 knows no such user and names
 * none: the same number does there, since it owns all that the server may write.
 */
const USER = "2000";

/** Stalwart in the anchor's namespace: gate, server and watch in one container (decision 5). */
export class Stalwart extends pulumi.ComponentResource {
  readonly container: Container;

  constructor(name: string, args: StalwartArgs, opts: pulumi.ComponentResourceOptions) {
    // The settings stand in MailSettings alone: what crosses the engine twice takes twice as long.
    const { secretFiles, settings, ...visible } = args;
    super("tailwart:mail:Stalwart", name, visible, opts);
    const parent = { parent: this };
    const named = { ...parent, ...takingOver(args.dockerHost) };
    const folder = new Volume(
      `${name}-etc`,
      { name: nameOnHost("stalwart-etc") },
      { ...parent, ...FIXED_NAME },
    );

    // Docker refuses an upload into a container whose root is read-only, so the files go into the
    // volume by way of a container that is never started. Its id stands for their content: new
    // files, new id, new Stalwart.
    const files = new Container(
      `${name}-files`,
      {
        ...bare("files"),
        name: nameOnHost("stalwart-files"),
        image: args.filesImage,
        start: false,
        mustRun: false,
        restart: "no",
        networkMode: "none",
        // Files without a secret belong to root: a hand edit of a file setting through the API
        // cannot rewrite them.
        uploads: [
          ...stalwartFiles(settings, args.generation, args.withoutGuards).map(({ path, content, mode }) =>
            upload(path, content, mode, "0"),
          ),
          ...Object.entries(secretFiles).map(([path, content]) => upload(path, content, "0400", USER)),
        ],
        volumes: [{ volumeName: folder.name, containerPath: STALWART_DIRECTORY }],
      },
      named,
    );

    // The watch inside is what acts on a mute server; the image's own check knows nothing of PROXY.
    // From 0.16 on the binary carries this capability: without it in the bounding set exec fails
    // (decision 14). 0.15's does not; it may bind because the anchor's namespace lets everybody.
    const server = hardened("stalwart", { adds: ["CAP_NET_BIND_SERVICE"] });
    this.container = new Container(
      `${name}-server`,
      {
        ...server,
        image: args.image,
        entrypoints: STALWART_COMMAND.slice(0, 1),
        command: STALWART_COMMAND.slice(1),
        networkMode: args.networkMode,
        user: `${USER}:${USER}`,
        readOnly: true,
        tmpfs: { "/tmp": "mode=1777", "/var/lib/stalwart": `uid=${USER},gid=${USER},mode=0700` },
        // Deliveries under way may finish.
        stopTimeout: 30,
        destroyGraceSeconds: 30,
        envs: Object.entries({ ...args.env, ...entrypointEnvironment(settings, args) }).map(
          ([key, value]) => `${key}=${value}`,
        ),
        volumes: [{ volumeName: folder.name, containerPath: STALWART_DIRECTORY, readOnly: true }],
        labels: [...server.labels, { label: "tailwart.files.id", value: files.id }],
      },
      named,
    );
    this.registerOutputs({});
  }
}

function upload(file: string, content: pulumi.Input<string>, permissions: string, owner: string) {
  return { file, content, permissions, owner, group: owner };
}
