import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * A Pulumi project whose one resource is a server's settings, with a state of its own. Docker is a
 * script that runs the pipe here instead of in a container.
 */
export class SettingsProject {
  readonly folder = mkdtempSync(join(tmpdir(), "tailwart-project-"));

  /**
   * @param directory stands for the container's /etc/stalwart @param program the text of index.js,
   *   after the plugin's classes are imported
   */
  constructor(directory: string, program: string) {
    mkdirSync(join(this.folder, "state"));
    mkdirSync(join(this.folder, "bin"));
    this.#write(
      "Pulumi.yaml",
      `name: settings\nruntime: nodejs\nplugins:\n  providers:\n    - name: tailwart\n      path: ${ROOT}provider\n`,
    );
    this.#write(
      "package.json",
      '{ "name": "settings", "version": "0.0.0", "type": "module", "main": "index.js" }',
    );
    this.#write(
      "index.js",
      `import { readFileSync } from "node:fs";
import { Provider } from "${ROOT}provider/Provider.ts";
import { Registry } from "${ROOT}provider/Registry.ts";
import { Settings } from "${ROOT}provider/Settings.ts";
const args = JSON.parse(readFileSync(new URL("./args.json", import.meta.url), "utf8"));
${program}
`,
    );
    // docker --host H exec -i C bash -c SCRIPT … /etc/stalwart/…, and docker --host H restart,
    // container inspect or logs …
    writeFileSync(
      join(this.folder, "bin/docker"),
      `#!/bin/bash
echo "\${*//$'\n'/ }" >>"${this.folder}/docker.log"
[[ $1 == --host && $3 == restart ]] && { touch "${this.folder}/restarted"; exit 0; }
[[ $1 == --host && $3 == container ]] && { echo true; exit 0; }
[[ $1 == --host && $3 == logs ]] && { cat "${directory}/log" 2>/dev/null; exit 0; }
[[ $1 == --host && $3 == exec && $4 == -i && $6 == bash ]] || { echo "fake docker: $*" >&2; exit 1; }
shift 6
args=()
for argument in "$@"; do args+=("\${argument//\\/etc\\/stalwart/${directory}}"); done
exec bash "\${args[@]}"
`,
      { mode: 0o755 },
    );
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Makes the stack. @throws Error that says what is missing */
  async init(): Promise<void> {
    const { status, output } = await this.pulumi("stack", "init", "test");
    if (status !== 0)
      throw new Error(
        `this test needs pulumi and pulumi-language-nodejs on PATH (npm run up installs them): ${output}`,
      );
  }

  /** What the program reads. */
  args(args: unknown): void {
    this.#write("args.json", JSON.stringify(args));
  }

  /** Every call of docker so far. */
  get dockerLog(): string {
    const file = join(this.folder, "docker.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  pulumi(...args: string[]): Promise<{ status: number; output: string }> {
    const env = {
      ...process.env,
      PATH: [join(this.folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
    };
    return new Promise((resolve) =>
      execFile(
        "pulumi",
        [...args, "--color", "never", "--non-interactive"],
        { cwd: this.folder, env },
        (error, stdout, stderr) =>
          resolve({ status: error ? Number(error.code) || 1 : 0, output: stdout + stderr }),
      ),
    );
  }

  up(...args: string[]) {
    return this.pulumi("up", "--yes", "--skip-preview", "--stack", "test", ...args);
  }

  preview(...args: string[]) {
    return this.pulumi("preview", "--diff", "--stack", "test", ...args);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A project whose one resource is records of the DNS. */
export const recordsProject = (): SettingsProject =>
  new SettingsProject(
    "/nowhere",
    `import { RecordSet } from "${ROOT}provider/RecordSet.ts";\nnew RecordSet("records", args);`,
  );
