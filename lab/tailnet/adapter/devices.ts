import { ApiError } from "./api-error.ts";
import { HeadscaleError, type HeadscaleApi, type HeadscaleNode } from "./headscale-api.ts";
import type { Policy } from "./policy.ts";

/** The nodes, as the Tailscale API tells of them. */
export class Devices {
  readonly #headscale: HeadscaleApi;
  readonly #policy: Policy;
  readonly #domain: string;

  /** @param domain the MagicDNS base domain, such as tail.test */
  constructor(headscale: HeadscaleApi, policy: Policy, domain: string) {
    this.#headscale = headscale;
    this.#policy = policy;
    this.#domain = domain;
  }

  /**
   * All devices that match every filter exactly: name, hostname, tags (all of the given),
   * isEphemeral.
   */
  async list(query: URLSearchParams): Promise<object> {
    const devices = (await this.#headscale.nodes()).map((node) => this.#device(node));
    return { devices: devices.filter((device) => matches(device, query)) };
  }

  async get(id: string): Promise<object> {
    return this.#device(await this.#find(id));
  }

  async delete(id: string): Promise<void> {
    await this.#headscale.deleteNode((await this.#find(id)).id);
  }

  /** One of the POST actions below a device. */
  async change(id: string, action: string, body: Record<string, unknown>): Promise<object> {
    const node = await this.#find(id);
    switch (action) {
      case "tags":
        return this.#setTags(node, body["tags"]);
      case "key":
        await this.#change(node, "expire", body["keyExpiryDisabled"] === true ? { disableExpiry: true } : {});
        return {};
      case "name":
        await this.#change(node, `rename/${encodeURIComponent(String(body["name"]).split(".")[0] ?? "")}`);
        return {};
      case "authorized":
        if (body["authorized"] !== true)
          throw new ApiError(400, "device approval is not enabled for this tailnet");
        return {};
      case "routes":
        return this.#setRoutes(node, body["routes"]);
      default:
        throw new ApiError(404, "not found");
    }
  }

  async #setTags(node: HeadscaleNode, value: unknown): Promise<object> {
    const tags = Array.isArray(value) ? value.map(String) : [];
    if (tags.length === 0) throw new ApiError(400, "the control server cannot take all tags from a device");
    const owners = await this.#policy.tagOwners();
    const unknown = tags.filter((tag) => !(tag in owners));
    if (unknown.length > 0)
      throw new ApiError(400, `requested tags [${unknown.join(" ")}] are invalid or not permitted`);
    await this.#change(node, "tags", { tags });
    return {};
  }

  async #setRoutes(node: HeadscaleNode, value: unknown): Promise<object> {
    const routes = Array.isArray(value) ? value.map(String) : [];
    const changed = await this.#change(node, "approve_routes", { routes });
    return { advertisedRoutes: changed.availableRoutes ?? [], enabledRoutes: changed.approvedRoutes ?? [] };
  }

  async #change(node: HeadscaleNode, action: string, body?: unknown): Promise<HeadscaleNode> {
    try {
      return await this.#headscale.changeNode(node.id, action, body);
    } catch (error) {
      // headscale words refusals as 500.
      if (error instanceof HeadscaleError) throw new ApiError(400, error.message);
      throw error;
    }
  }

  async #find(id: string): Promise<HeadscaleNode> {
    const node = (await this.#headscale.nodes()).find(
      (candidate) => candidate.id === id || nodeId(candidate) === id,
    );
    if (!node) throw new ApiError(404, "device not found");
    return node;
  }

  #device(node: HeadscaleNode) {
    const tags = node.tags ?? [];
    return {
      addresses: node.ipAddresses ?? [],
      name: `${node.givenName}.${this.#domain}`,
      id: node.id,
      nodeId: nodeId(node),
      hostname: node.name,
      user: tags.length > 0 ? "tagged-devices" : (node.user?.name ?? ""),
      ...(tags.length > 0 && { tags }),
      authorized: true,
      isEphemeral: node.preAuthKey?.ephemeral === true,
      isExternal: false,
      keyExpiryDisabled: node.expiry === undefined || node.expiry === null,
      blocksIncomingConnections: false,
      connectedToControl: node.online === true,
      ...(node.online !== true && node.lastSeen && { lastSeen: node.lastSeen }),
      created: node.createdAt ?? "",
      expires: node.expiry ?? "",
      // headscale's REST API does not tell these two.
      clientVersion: "",
      os: "linux",
      machineKey: node.machineKey,
      nodeKey: node.nodeKey,
      updateAvailable: false,
      tailnetLockError: "",
      tailnetLockKey: "",
      advertisedRoutes: node.availableRoutes ?? [],
      enabledRoutes: node.approvedRoutes ?? [],
    };
  }
}

function nodeId(node: HeadscaleNode): string {
  return `n${node.id}CNTRL`;
}

function matches(
  device: { name: string; hostname: string; tags?: string[]; isEphemeral: boolean },
  query: URLSearchParams,
): boolean {
  const one = (key: string, value: string) => !query.has(key) || query.getAll(key).includes(value);
  const tags = query.getAll("tags").flatMap((value) => value.split(","));
  return (
    one("name", device.name) &&
    one("hostname", device.hostname) &&
    one("isEphemeral", String(device.isEphemeral)) &&
    tags.every((tag) => device.tags?.includes(tag))
  );
}
