// Imported first by main.ts, for its effect: makes a preview's start-up short without leaving anything out.
// Figures: `npm run bench`.
import * as module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Compiled code, types already stripped, is kept between runs, outside the project (the language host walks the
// project's tree). NODE_COMPILE_CACHE wins; a folder that cannot be written is no error.
const { TAILWART_CACHE, XDG_CACHE_HOME, NODE_COMPILE_CACHE } = process.env;
const cache = TAILWART_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "tailwart");
module.enableCompileCache(NODE_COMPILE_CACHE ?? join(cache, "node-compile-cache"));

// Pulumi's runner installs source-map-support, and the SDK reads a stack for each of its promises: together that is
// half a second, spent on looking for source maps that no file here has. Node strips types in place, so V8's own
// stacks name the right lines and columns without any map.
Reflect.deleteProperty(Error, "prepareStackTrace");

// The SDK loads an npm client to turn closures into text, and the Automation API, each time; a program that has no
// dynamic provider asks neither for anything. They are loaded when something does.
const sdk = module.createRequire(
  module.createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"),
);
for (const name of ["@npmcli/arborist", "./automation"]) loadLate(sdk.resolve(name));

function loadLate(file: string): void {
  if (sdk.cache[file]) return;
  const late = new module.Module(file);
  const real = (): object => {
    if (sdk.cache[file] === late) Reflect.deleteProperty(sdk.cache, file);
    return sdk(file) as object;
  };
  const isMarker = (key: string | symbol) => key === "__esModule";
  late.exports = new Proxy(
    {},
    {
      // The marker keeps the SDK's compiled imports from copying every property, which would load the module.
      get: (_, key) => isMarker(key) || (Reflect.get(real(), key) as unknown),
      has: (_, key) => isMarker(key) || Reflect.has(real(), key),
    },
  );
  late.loaded = true;
  sdk.cache[file] = late;
}
