import type { StalwartSettings } from "../../lib/desired-state/schema.ts";
import type { MailRecords } from "../../lib/dns/mail-records.ts";
import type { MailService } from "../../lib/mail-services.ts";
import type { Generation } from "../../lib/stalwart/release.ts";
import { Scene } from "../scene.ts";
import type { EdgeTarget, VerifyTarget } from "../target.ts";

/** One of the stack's edges. */
export interface DoctorEdge extends EdgeTarget {
  /** As the config has it. */
  name: string;
  /** Where the internet reaches it. */
  wanAddress: string;
}

/** What the doctor is told of a stack: plain values of its config, and no secret. */
export interface DoctorTarget extends VerifyTarget {
  stack: string;
  /** How a command of npm's names it. @example "--stack prod" */
  named: string;
  /** Image by digest that each container is to run, by the container's name. */
  images: Record<string, string>;
  edges: readonly DoctorEdge[];
  edge?: DoctorEdge;
  services: readonly MailService[];
  /** Names that the edges pass on to Stalwart on :443. */
  passthrough: readonly string[];
  settings: StalwartSettings;
  generation: Generation;
  /** What is to be published for the stack's mail, and what the config leaves open of it. */
  dns: MailRecords & {
    servers: readonly string[];
    /** Where mail leaves for the internet, as tailwart:relay.egress has it. */
    egress?: readonly string[] | undefined;
  };
  /** Whether the doctor may write a record of DNS, and take it away again. */
  canary: boolean;
}

/** A message that waits in Stalwart's queue. */
export interface QueuedMessage {
  since: Date;
  /** When the next attempt is due, the earliest of its recipients'; undefined for none. */
  due: Date | undefined;
  /** A recipient that waits. */
  to: string;
  /** What became of the last attempt, in Stalwart's words; "" before the first. */
  last: string;
}

/** Work that Stalwart has given up. */
export interface FailedTask {
  what: string;
  reason: string;
}

/** What Stalwart's API tells, on either line. Whoever runs the doctor knows how it is asked. */
export interface ServerApi {
  queue(): Promise<QueuedMessage[]>;
  /** Addresses that are banned. */
  bans(): Promise<string[]>;
  /** @throws Error for an address that is not banned */
  unban(address: string): Promise<void>;
  /** undefined on the 0.15 line, which has no such list. */
  failedTasks(): Promise<FailedTask[] | undefined>;
}

/** What is known to have been issued for a domain and the names below it, by any CA. */
export interface Issued {
  issuances: readonly {
    names: readonly string[];
    /** The issuer's distinguished name. */
    issuer: string;
    /** When it begins, which may be an hour before it was issued. */
    from: Date;
  }[];
  /** As of when. */
  at: Date;
}

/** What the doctor's checks look at. */
export class DoctorScene extends Scene<DoctorTarget> {
  readonly api: ServerApi;
  /** What was issued for a domain. @throws Error where nobody tells */
  readonly issued: (domain: string) => Promise<Issued>;

  constructor(
    target: DoctorTarget,
    api: ServerApi,
    issued: (domain: string) => Promise<Issued>,
    other?: DoctorScene,
  ) {
    super(target, other);
    this.api = api;
    this.issued = issued;
  }

  /** The same stack, with a look at one of its edges. */
  at(edge: DoctorEdge): DoctorScene {
    return new DoctorScene({ ...this.target, edge }, this.api, this.issued, this);
  }

  /**
   * Where the internet reaches the edge that is looked at.
   *
   * @throws Error in a check that is not `perEdge`
   */
  get wanAddress(): string {
    const { edge } = this.target;
    if (edge === undefined) throw new Error("no edge is looked at");
    return edge.wanAddress;
  }
}
