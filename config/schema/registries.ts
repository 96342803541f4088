import { z } from "zod";

import { described } from "./primitives.ts";

/** Registries that give out images to those who log in only. */
export const registriesSchema = z
  .array(
    z.strictObject({
      address: described("a registry's host[:port], without scheme and path", "ghcr.io", (value) =>
        /^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/.test(value),
      ).describe("The registry, as the images' names begin; registry-1.docker.io for Docker Hub."),
      username: z
        .string()
        .min(1)
        .meta({ accepts: "a login name", examples: ["example-bot"] })
        .describe("Login. Its password is tailwart:registryPasswords[<address>]."),
    }),
  )
  .default([])
  .meta({ accepts: "a list of registries", examples: [[{ address: "ghcr.io", username: "example-bot" }]] })
  .describe(
    "Registries that need a login. Neither host's ~/.docker/config.json is read: the login goes with each pull.",
  );
