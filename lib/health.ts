/** Where containerboot answers /healthz: loopback, so that nothing outside the namespace can ask. */
export const HEALTH_ADDRESS = "127.0.0.1:9002";

/**
 * The sidecar's healthcheck, as Docker takes it: tailscaled is up **and** Postgres can be reached (lesson 1).
 *
 * /healthz alone says only that the node has an address: it is green before the route to Postgres is usable.
 *
 * @param host Postgres' MagicDNS name
 */
export function sidecarHealthTest(host: string, port: number): string[] {
  return ["CMD-SHELL", `wget -qO- http://${HEALTH_ADDRESS}/healthz >/dev/null && nc -z -w 3 ${host} ${port}`];
}
