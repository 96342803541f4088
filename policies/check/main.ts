import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "./command.ts";

// Beside the rules in the project; in a package three folders up, above dist/policies/check.
const here = import.meta.dirname;
const manifest = ["..", "../../.."]
  .map((up) => join(here, up, "package.json"))
  .find((file) => existsSync(file));
const { version } = JSON.parse(readFileSync(manifest ?? "", "utf8")) as { version: string };

const { stdout, stderr, exitCode } = await check(process.argv.slice(3), process.cwd(), version);
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exitCode;
