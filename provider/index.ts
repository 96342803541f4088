import { serve } from "./server.ts";
import { SettingsResource } from "./resource.ts";

await serve(new SettingsResource());
