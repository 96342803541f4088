import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import type { Without } from "./cut.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A copy of the working tree, in which guards may be missing. */
export class Tree {
  readonly folder: string;

  /** Copies what git knows or would take, without its history. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "tailwart-guards-"));
    const asked = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const listed = execFileSync("git", asked, { cwd: ROOT, encoding: "utf8" });
    for (const file of new Set(listed.split("\0"))) {
      if (file === "" || !existsSync(join(ROOT, file))) continue;
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      cpSync(join(ROOT, file), join(this.folder, file));
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  readonly read = (file: string): string => readFileSync(join(this.folder, file), "utf8");

  /** Does something in the tree without the guard, and puts that back. */
  async without<T>(texts: Without, work: () => Promise<T>): Promise<T> {
    const before = [...texts.keys()].map((file) => [file, this.read(file)] as const);
    try {
      for (const [file, text] of texts) writeFileSync(join(this.folder, file), text);
      return await work();
    } finally {
      for (const [file, text] of before) writeFileSync(join(this.folder, file), text);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
