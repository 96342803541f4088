import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FakeRegistry } from "../fakes/fake-registry.ts";
import { SettingsProject } from "./settings-project.ts";

/**
 * A program whose one resource is a Registry, through the real engine, against the fake of
 * Stalwart's registry.
 */
export class RegistryProject extends SettingsProject {
  readonly fake: FakeRegistry;
  /** Where the fake listens. */
  readonly api: string;
  readonly #directory: string;

  private constructor(directory: string, fake: FakeRegistry, api: string) {
    super(
      directory,
      `const provider = new Provider("mail", args.deployed);
const { deployed, ...inputs } = args;
new Registry("settings", inputs, { provider });`,
    );
    this.#directory = directory;
    this.fake = fake;
    this.api = api;
  }

  /** @param readable files of the container that the server can read */
  static async start(...readable: string[]): Promise<RegistryProject> {
    const fake = new FakeRegistry();
    for (const file of readable) fake.readableFiles.add(file);
    const directory = mkdtempSync(join(tmpdir(), "tailwart-registry-"));
    mkdirSync(join(directory, "secrets"));
    writeFileSync(join(directory, "secrets/api"), "admin:admin-password");
    const project = new RegistryProject(directory, fake, await fake.listen());
    await project.init();
    return project;
  }

  override remove(): void {
    this.fake.close();
    super.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
