import { StalwartApi } from "../../provider/keys/api.ts";
import { RegistryApi, type Row } from "../../provider/registry/jmap.ts";
import { DEFAULT_API } from "../../provider/server/state.ts";
import { dockerTransport, type Transport } from "../../provider/server/transport.ts";
import { UserError } from "../../lib/errors.ts";
import type { DoctorTarget, QueuedMessage, ServerApi } from "../../verify/doctor/target.ts";

type Json = Record<string, unknown>;

/** Stalwart's API by a pipe into its container, with the login that lies there (decision 16). */
export function serverApi({ kvm, generation }: DoctorTarget): ServerApi {
  const transport = dockerTransport(kvm.dockerHost, kvm.stalwart);
  return generation === "registry" ? registry(transport) : keys(transport);
}

const BANNED = "server.blocked-ip";

/** The 0.15 line (http/src/management/queue.rs: Message, Recipient). */
function keys(transport: Transport): ServerApi {
  const api = new StalwartApi(transport, DEFAULT_API);
  const banned = async () =>
    Object.keys(await api.readSettings([], [BANNED])).map((key) => key.slice(BANNED.length + 1));
  return {
    async queue() {
      const { items } = (await api.request("GET", "/api/queue/messages?values=1&limit=500")) as {
        items: { created: string; recipients: Recipient[] }[];
      };
      return items.map(({ created, recipients }) => message(created, recipients));
    },
    bans: banned,
    async unban(address) {
      if (!(await banned()).includes(address)) throw notBanned(address);
      await api.writeSettings([{ type: "delete", keys: [`${BANNED}.${address}`] }]);
      await api.request("GET", `/api/reload/${BANNED}`);
    },
    failedTasks: () => Promise.resolve(undefined),
  };
}

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

/** 0.16 and later: rows of QueuedMessage, BlockedIp and Task. */
function registry(transport: Transport): ServerApi {
  const api = new RegistryApi(transport, DEFAULT_API);
  const rows = async (object: string): Promise<Row[]> => (await api.get([object]))[object] ?? [];
  return {
    queue: async () => (await rows("QueuedMessage")).map(queuedRow),
    bans: async () => (await rows("BlockedIp")).map((row) => String(row["address"])),
    async unban(address) {
      const ids = (await rows("BlockedIp")).filter((row) => row["address"] === address).map(({ id }) => id);
      if (ids.length === 0) throw notBanned(address);
      await api.set("BlockedIp", { destroy: ids }, {});
      await api.set("Action", { create: { bans: { "@type": "ReloadBlockedIps" } } }, {});
    },
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
