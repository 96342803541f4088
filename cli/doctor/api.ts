import type { StalwartApi } from "../../provider/keys/api.ts";
import type { RegistryApi, Row } from "../../provider/registry/jmap.ts";
import { UserError } from "../../lib/errors.ts";
import type { DoctorTarget, QueuedMessage, ServerApi } from "../../verify/doctor/target.ts";
import { bansOf } from "../parts/bans.ts";
import { serverIn } from "../parts/stalwart-server.ts";

type Json = Record<string, unknown>;

type Listed = Pick<ServerApi, "queue" | "failedTasks">;

/** Stalwart's API as the doctor asks it, on either line. */
export function serverApi({ kvm, generation }: DoctorTarget): ServerApi {
  const server = serverIn(kvm.dockerHost, kvm.stalwart, generation);
  const bans = bansOf(server);
  return {
    ...(server.isRegistry ? registry(server.rows) : keys(server.keys)),
    bans: bans.list,
    async unban(address) {
      if (!(await bans.list()).includes(address)) throw notBanned(address);
      await bans.lift(address);
    },
  };
}

/** The 0.15 line (http/src/management/queue.rs: Message, Recipient). */
const keys = (api: StalwartApi): Listed => ({
  async queue() {
    const { items } = (await api.request("GET", "/api/queue/messages?values=1&limit=500")) as {
      items: { created: string; recipients: Recipient[] }[];
    };
    return items.map(({ created, recipients }) => message(created, recipients));
  },
  failedTasks: () => Promise.resolve(undefined),
});

interface Recipient {
  address: string;
  status: string | Json;
  next_retry?: string;
}

function message(created: string, recipients: readonly Recipient[]): QueuedMessage {
  const waiting = recipients.filter(({ next_retry: next }) => next !== undefined);
  const dues = waiting.map(({ next_retry: next = "" }) => Date.parse(next));
  const [first] = waiting.length > 0 ? waiting : recipients;
  return {
    since: new Date(created),
    due: dues.length > 0 ? new Date(Math.min(...dues)) : undefined,
    to: first?.address ?? "nobody",
    last: statusOf(first?.status),
  };
}

/** A status is a word or an object of one: `{"temp_fail": "Connection refused"}`. */
function statusOf(status: string | Json | undefined): string {
  if (status === undefined || status === "scheduled") return "";
  return typeof status === "string" ? status : Object.values(status).map(String).join("; ");
}

/** 0.16 and later: rows of QueuedMessage and Task. */
function registry(api: RegistryApi): Listed {
  const rows = async (object: string): Promise<Row[]> => (await api.get([object]))[object] ?? [];
  return {
    queue: async () => (await rows("QueuedMessage")).map(queuedRow),
    failedTasks: async () =>
      (await rows("Task")).flatMap((row) => {
        const { "@type": state, failureReason } = (row["status"] ?? {}) as Json;
        return state === "Failed" ? [{ what: String(row["@type"]), reason: String(failureReason) }] : [];
      }),
  };
}

function queuedRow({ createdAt, nextRetry, recipients }: Row): QueuedMessage {
  const [[address, recipient] = ["nobody", {}]] = Object.entries((recipients ?? {}) as Record<string, Json>);
  const { "@type": state, ...rest } = (recipient["status"] ?? {}) as Json;
  const words = [state, ...Object.values(rest)].filter((word) => typeof word === "string");
  return {
    since: new Date(String(createdAt)),
    due: nextRetry === undefined || nextRetry === null ? undefined : new Date(String(nextRetry)),
    to: address,
    last: state === "Scheduled" ? "" : words.join(": "),
  };
}

const notBanned = (address: string) =>
  new UserError(`Stalwart has not banned ${address}`, { hint: "npm run doctor -- --only bans shows who is" });
