import { NAMESPACE_DEVICE } from "./sidecar.ts";

/**
 * Where containerboot answers /healthz: loopback, so that nothing outside the namespace can ask.
 */
export const HEALTH_ADDRESS = "127.0.0.1:9002";

/**
 * The sidecar's healthcheck, as Docker takes it: tailscaled is up **and** Postgres can be reached
 * (lesson 1).
 *
 * /healthz alone says only that the node has an address: it is green before the route to Postgres
 * is usable. What `ls` says where the anchor's namespace is dead is read in the health log.
 *
 * @param host Postgres' MagicDNS name
 * @param asksPostgres false leaves Postgres out, as a lab does to replay lesson 1
 */
export function sidecarHealthTest(host: string, port: number, asksPostgres = true): string[] {
  const alive = `ls /sys/class/net/${NAMESPACE_DEVICE} >/dev/null`;
  const connected = `wget -qO- http://${HEALTH_ADDRESS}/healthz >/dev/null`;
  const postgres = asksPostgres ? ` && nc -z -w 3 ${host} ${port}` : "";
  return ["CMD-SHELL", `${alive} && ${connected}${postgres}`];
}
