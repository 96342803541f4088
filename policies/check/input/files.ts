import { basename } from "node:path";

import { urnOf, type Place, type Source } from "../resource.ts";

const ACL = "tailscale:index/acl:Acl";
const CONTAINER = "docker:index/container:Container";

/** Whether JSON with comments is a tailnet policy file. Keys may be written in capitals. */
export function isPolicyFile(text: string): boolean {
  return (
    /^\s*(?:\{|\/[/*])/.test(text) &&
    /["'](?:acls|grants|tagOwners|autoApprovers|nodeAttrs)["']\s*:/i.test(text)
  );
}

/** Whether JSON is a config of Caddy's. */
export const isCaddyJsonText = (text: string): boolean =>
  /"apps"\s*:\s*\{/.test(text) && /"(?:http|layer4|tls)"\s*:\s*\{/.test(text);

/** The tailnet's policy file. A file is deleted by nobody but who deletes it. */
export function policyFileOf(text: string, file: string): Source {
  const at: Place = { file, line: 1, shown: file };
  return {
    type: ACL,
    name: file,
    urn: urnOf("files", ACL, file),
    inputs: { acl: text },
    protect: true,
    at,
    places: new Map([["acl", { ...at, shown: "", isText: true }]]),
  };
}

/** A Caddyfile or caddy.json that no compose file mounts, as that of a Caddy of its own. */
export function caddyOf(text: string, file: string): Source {
  const at: Place = { file, line: 1, shown: file };
  const target = `/etc/caddy/${/\.json$/.test(file) ? basename(file) : "Caddyfile"}`;
  return {
    type: CONTAINER,
    name: file,
    urn: urnOf("files", CONTAINER, file),
    inputs: { name: "caddy", uploads: [{ file: target, content: text }] },
    protect: true,
    at,
    places: new Map([["uploads[0].content", { ...at, shown: "", isText: true }]]),
  };
}
