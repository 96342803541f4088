import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { toolPath } from "../programs.ts";
import { run } from "../run.ts";
import { alpinePackages, PACKAGES, place } from "./alpine.ts";
import type { DebianUserland } from "./debian.ts";
import type { LayoutName } from "./facts.ts";

/** How the lab makes an image that has the layout of an official one. */
export interface Recipe {
  /** What it stands on. */
  userland: "alpine" | DebianUserland;
  /** Programs that `make` copies; the layer's name in the cache follows their content. */
  programs: readonly string[];
  /** Makes the layer above the userland. */
  make: (folder: string) => Promise<void> | void;
}

/** The 0.15 line's server: the lab has no other, and both layouts are tried with it. */
const SERVER = "stalwart";

export const RECIPES: Record<LayoutName, Recipe> = {
  sidecar: {
    userland: "alpine",
    programs: [...PACKAGES, "containerboot", "tailscale", "tailscaled"],
    async make(folder) {
      await alpinePackages(folder);
      for (const program of ["containerboot", "tailscale", "tailscaled"])
        place(folder, toolPath(program), `/usr/local/bin/${program}`);
    },
  },
  "stalwart-0.15": {
    userland: { packages: ["ca-certificates"] },
    programs: [SERVER],
    make(folder) {
      place(folder, toolPath(SERVER), "/usr/local/bin/stalwart");
      mkdirSync(join(folder, "opt/stalwart"), { recursive: true });
      const entrypoint = join(folder, "usr/local/bin/entrypoint.sh");
      writeFileSync(
        entrypoint,
        "#!/usr/bin/env sh\nexec /usr/local/bin/stalwart --config /opt/stalwart/etc/config.toml\n",
      );
      chmodSync(entrypoint, 0o755);
    },
  },
  "stalwart-0.16": {
    userland: {
      packages: ["ca-certificates", "curl", "libcap2-bin"],
      commands: [
        ["groupadd", "-r", "-g", "2000", "stalwart"],
        ["useradd", "-r", "-u", "2000", "-g", "2000", "-s", "/usr/sbin/nologin", "-M", "stalwart"],
        ["mkdir", "-p", "/etc/stalwart", "/var/lib/stalwart"],
        ["chown", "stalwart:stalwart", "/etc/stalwart", "/var/lib/stalwart"],
      ],
    },
    programs: [SERVER],
    async make(folder) {
      place(folder, toolPath(SERVER), "/usr/local/bin/stalwart");
      await run("setcap", ["cap_net_bind_service=+ep", join(folder, "usr/local/bin/stalwart")]);
    },
  },
  edge: {
    userland: "alpine",
    programs: ["caddy"],
    async make(folder) {
      place(folder, toolPath("caddy"), "/usr/bin/caddy");
      await run("setcap", ["cap_net_bind_service=+ep", join(folder, "usr/bin/caddy")]);
      for (const path of ["etc/caddy", "usr/share/caddy", "config/caddy", "data/caddy"])
        mkdirSync(join(folder, path), { recursive: true });
      for (const path of ["config/caddy", "data/caddy"]) chmodSync(join(folder, path), 0o1777);
    },
  },
};
/** Changed when a userland or `make` makes something else. */
export const RECIPE_VERSION = 2;
