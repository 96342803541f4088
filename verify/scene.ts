import type { CommandResult } from "../lib/run-command.ts";
import { docker, inContainer } from "./docker.ts";
import { type ContainerState, type Inspected, readInspected } from "./inspect.ts";
import type { VerifyTarget } from "./target.ts";

/** What checks look at. An answer that several of them need is asked for once. */
export class Scene<T extends VerifyTarget = VerifyTarget> {
  readonly target: T;
  readonly #asked: Map<string, Promise<unknown>>;

  /** @param other another look at the same stack, whose answers hold here, too */
  constructor(target: T, other?: Scene) {
    this.target = target;
    this.#asked = other ? other.#asked : new Map<string, Promise<unknown>>();
  }

  /** Who asks first under a name starts it; the others get the same answer. */
  once<R>(name: string, ask: () => Promise<R>): Promise<R> {
    const known = this.#asked.get(name) as Promise<R> | undefined;
    const answer = known ?? ask();
    this.#asked.set(name, answer);
    return answer;
  }

  /** The stack's containers on the KVM host, those that there are. */
  kvm(): Promise<Inspected> {
    const { dockerHost, sidecar, stalwart } = this.target.kvm;
    return this.#inspect(dockerHost, [anchorOf(sidecar), sidecar, stalwart]);
  }

  /** The edge's container, if there is one. */
  edge(): Promise<Inspected> {
    const { edge } = this.target;
    return edge
      ? this.#inspect(edge.dockerHost, [edge.container])
      : Promise.resolve({ states: [], trouble: "" });
  }

  async container(box: "kvm" | "edge", name: string): Promise<ContainerState | undefined> {
    return (await this[box]()).states.find((state) => state.name === name);
  }

  /** A shell line in the sidecar: BusyBox in Stalwart's network namespace. */
  inNamespace(line: string, seconds: number): Promise<CommandResult> {
    return inContainer(this.target.kvm.dockerHost, this.target.kvm.sidecar, line, seconds);
  }

  /** A line of bash in Stalwart's container, which has coreutils and no nc. */
  inStalwart(line: string, seconds: number): Promise<CommandResult> {
    return docker(
      this.target.kvm.dockerHost,
      ["exec", this.target.kvm.stalwart, "bash", "-c", line],
      seconds,
    );
  }

  /**
   * What is in a file of Stalwart's secrets: for a login, and never for an argument or a message.
   *
   * @throws Error without what is in it
   */
  async secret(file: string): Promise<string> {
    const { dockerHost, stalwart } = this.target.kvm;
    const { status, stdout, stderr } = await docker(dockerHost, ["exec", stalwart, "cat", file], 8);
    if (status !== 0) throw new Error(`${file} of ${stalwart} cannot be read: ${stderr.trim()}`);
    return stdout;
  }

  /** The docker CLI on one of the hosts. */
  docker(box: "kvm" | "edge", args: string[], seconds: number): Promise<CommandResult> {
    const host = box === "kvm" ? this.target.kvm.dockerHost : (this.target.edge?.dockerHost ?? "");
    return docker(host, args, seconds);
  }

  #inspect(host: string, names: string[]): Promise<Inspected> {
    return this.once(`inspect ${host} ${names.join(" ")}`, async () => {
      const { status, stdout, stderr } = await docker(host, ["container", "inspect", ...names], 8);
      return readInspected(stdout, status === 124 ? "no answer within 8 s" : stderr);
    });
  }
}

/** The anchor's name, from the sidecar's. */
export const anchorOf = (sidecar: string): string => sidecar.replace(/sidecar$/, "anchor");
