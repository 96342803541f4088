import type { ServedResource } from "./plugin/served-resource.ts";
import { DkimKeyResource } from "./dns/dkim-key.ts";
import { DkimRotationResource } from "./dns/dkim-rotation.ts";
import { RecordSetResource } from "./dns/record-set.ts";
import { RegistryResource } from "./registry/resource.ts";
import { serve } from "./plugin/server.ts";
import { SettingsResource } from "./keys/resource.ts";

await serve(
  {
    "tailwart:mail:Settings": new SettingsResource() as unknown as ServedResource,
    "tailwart:mail:Registry": new RegistryResource() as unknown as ServedResource,
    "tailwart:dns:DkimKey": new DkimKeyResource() as unknown as ServedResource,
    "tailwart:dns:DkimRotation": new DkimRotationResource() as unknown as ServedResource,
    "tailwart:dns:RecordSet": new RecordSetResource() as unknown as ServedResource,
  },
  process.argv.slice(2),
);
