import { join } from "node:path";

import { configDoc } from "../../config/doc.ts";
import { STACK_FILE_SCHEMA, stackFileSchema } from "../../config/json-schema.ts";
import { settingsDoc } from "../../lib/desired-state/doc.ts";
import { policiesDoc } from "../../policies/doc.ts";
import { reliabilityDoc } from "./reliability.ts";
import { recorded } from "../lessons/record.ts";
import { lessonPages } from "./lessons.ts";
import { reviewPicture } from "./review-picture.ts";
import { topology } from "./topology.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** Every page that is made from the code, by its path. */
export const PAGES: Record<string, () => string> = {
  "CONFIG.md": configDoc,
  "POLICIES.md": policiesDoc,
  "docs/settings.md": settingsDoc,
  "docs/reliability.md": reliabilityDoc,
  "docs/topology.svg": () => topology(join(PROJECT, "Pulumi.prod.yaml")),
  "docs/review.svg": () => reviewPicture(join(PROJECT, "docs/review.md")),
  ...lessonPages(PROJECT, recorded()),
  [STACK_FILE_SCHEMA]: () => `${JSON.stringify(stackFileSchema(), null, 2)}\n`,
};
