import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/**
 * What a registry is called that an image's name does not name: the docker provider's word for
 * Docker Hub.
 */
const DOCKER_HUB = "registry-1.docker.io";

/**
 * The registry that an image comes from, as the docker provider works it out (its
 * parseImageOptions).
 *
 * @example registryOf("ghcr.io/example/caddy-l4@sha256:…") === "ghcr.io"
 * @example registryOf("stalwartlabs/stalwart:v0.15.5@sha256:…") === "registry-1.docker.io"
 */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const named = rest.length > 1 || (rest.length === 1 && (/[.:]/.test(first) || first === "localhost"));
  return named ? first : DOCKER_HUB;
}

/** What is wrong between registries, their passwords and the images that come from them. */
export function registryProblems(
  { registries, images }: Pick<Config, "registries" | "images">,
  passwords: Readonly<Record<string, string>>,
): Problem[] {
  const used = [...new Set(Object.values(images).map(registryOf))];
  const set = (address: string) => `pulumi config set --secret --path '${passwordPath(address)}'`;
  const listed = registries.map(({ address }) => address);
  return [
    ...registries.flatMap(({ address }, index) => [
      ...(listed.indexOf(address) < index
        ? [{ path: keyPath(["registries", index, "address"]), message: "is listed twice; accepts each once" }]
        : []),
      ...(used.includes(address)
        ? []
        : [
            {
              path: keyPath(["registries", index, "address"]),
              message: `is the registry of none of tailwart:images; accepts ${used.join(", ")}`,
            },
          ]),
      ...(address in passwords
        ? []
        : [
            {
              path: passwordPath(address),
              message: `is missing, while tailwart:registries has ${address}; accepts a secret`,
              example: set(address),
            },
          ]),
    ]),
    ...Object.keys(passwords)
      .filter((address) => !listed.includes(address))
      .map((address) => ({
        path: passwordPath(address),
        message: `is the password of a registry that tailwart:registries lacks; accepts ${listed.join(", ") || "none"}`,
      })),
  ];
}

/** Pulumi's spelling of a key with dots in it. */
const passwordPath = (address: string): string => `tailwart:registryPasswords["${address}"]`;
