/** Where records can be written, by the `type` of tailwart:dnsProvider. */
import { Cloudflare, type CloudflareAt } from "./cloudflare.ts";
import { Desec, type DesecAt } from "./desec.ts";
import { HttpWriter } from "./http-writer.ts";
import { type Rfc2136, Rfc2136Writer } from "./rfc2136.ts";
import { Spaceship, type SpaceshipAt } from "./spaceship.ts";
import type { RecordsWriter } from "./writer.ts";

/** A place, and by which key; not its secret. */
export type Place =
  | ({ type: "rfc2136" } & Rfc2136)
  | ({ type: "spaceship" } & SpaceshipAt)
  | ({ type: "cloudflare" } & CloudflareAt)
  | ({ type: "desec" } & DesecAt);

/** What writes there. @param place without a type: a state from when there was RFC 2136 alone */
export function writerAt(place: Place, secret: string): RecordsWriter {
  switch (place.type) {
    default:
      return new Rfc2136Writer(place, secret);
    case "spaceship":
      return new HttpWriter(new Spaceship(place, secret));
    case "cloudflare":
      return new HttpWriter(new Cloudflare(place, secret));
    case "desec":
      return new HttpWriter(new Desec(place, secret));
  }
}

/** What a place is called, for ids. @example nameOfPlace(place) === "192.0.2.53:53" */
export const nameOfPlace = (place: Place): string =>
  "host" in place ? `${place.host}:${place.port}` : place.type;
