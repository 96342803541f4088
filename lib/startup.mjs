// Imported first by the program, the policy pack and the settings provider, for its effect: makes
// the start of each short without leaving anything out. Together they are a good part of a preview;
// `npm run bench` shows it. Plain JavaScript: with all else in the compile cache, Node needs no
// TypeScript compiler at all.
import * as module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Compiled code, types already stripped, is kept between runs, outside the project (the language
// host walks the project's tree). NODE_COMPILE_CACHE wins; a folder that cannot be written is no
// error.
const { TAILWART_CACHE, XDG_CACHE_HOME, NODE_COMPILE_CACHE } = process.env;
const cache = TAILWART_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "tailwart");
module.enableCompileCache(NODE_COMPILE_CACHE ?? join(cache, "node-compile-cache"));
// It is written at exit, and the engine ends its plugins with a signal: so also once they are up.
setTimeout(() => module.flushCompileCache(), 1000).unref();

// Pulumi's runner installs source-map-support, and the SDK reads a stack for each of its promises:
// together that is half a second, spent on looking for source maps that no file here has. Node
// strips types in place, so V8's own stacks name the right lines and columns without any map.
Reflect.deleteProperty(Error, "prepareStackTrace");

// The SDK loads an npm client and a TypeScript compiler to turn closures into text, and the
// Automation API, each time; a program without a dynamic provider asks them for nothing. They are
// loaded when something does.
const sdk = module.createRequire(
  module.createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"),
);
for (const name of ["@npmcli/arborist", "normalize-package-data", "./automation", "./typescript-shim"])
  loadLate(fileOf(name));

/**
 * Where a module of the SDK is; releases differ in what they load, and a package is installed with
 * whichever the program has.
 * @param {string} name
 */
function fileOf(name) {
  try {
    return sdk.resolve(name);
  } catch {
    return undefined;
  }
}

/**
 * Puts a stand-in into Node's module cache that loads the module when it is first asked.
 * @param {string | undefined} file
 */
function loadLate(file) {
  if (file === undefined || sdk.cache[file]) return;
  const late = new module.Module(file);
  const real = () => {
    if (sdk.cache[file] === late) delete sdk.cache[file];
    return sdk(file);
  };
  // The marker keeps the SDK's compiled imports from copying every property, which would load the
  // module; they then expect a default export, which a module without the marker is itself.
  const isMarker = (/** @type {string | symbol} */ key) => key === "__esModule";
  const get = (/** @type {string | symbol} */ key) => {
    const found = real();
    return key === "default" && !("__esModule" in found) ? found : Reflect.get(found, key);
  };
  late.exports = new Proxy(
    {},
    {
      get: (_, key) => isMarker(key) || get(key),
      has: (_, key) => isMarker(key) || Reflect.has(real(), key),
    },
  );
  late.loaded = true;
  sdk.cache[file] = late;
}
