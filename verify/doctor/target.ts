import type { StalwartSettings } from "../../lib/desired-state/schema.ts";
import type { MailService } from "../../lib/mail-services.ts";
import type { Generation } from "../../lib/stalwart/release.ts";
import { Scene } from "../scene.ts";
import type { VerifyTarget } from "../target.ts";

/** What the doctor is told of a stack: plain values of its config, and no secret. */
export interface DoctorTarget extends VerifyTarget {
  stack: string;
  /** Image by digest that each container is to run, by the container's name. */
  images: Record<string, string>;
  /** The edge's public address. */
  wanAddress: string;
  services: readonly MailService[];
  /** Names that the edge passes on to Stalwart on :443. */
  passthrough: readonly string[];
  settings: StalwartSettings;
  generation: Generation;
}

/** What Stalwart says of itself, on either line. */
export interface ServerApi {
  /** The oldest messages of the queue first. */
  queue(): Promise<QueuedMessage[]>;
}

export interface QueuedMessage {
  /** When it was taken. */
  since: Date;
}

/** What the doctor's checks look at. */
export class DoctorScene extends Scene<DoctorTarget> {}
