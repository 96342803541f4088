// What Pulumi starts (`main` of package.json). The program is index.ts; it is imported once
// start-up is prepared and the providers are on their way. Plain JavaScript, as what it imports
// first is: with all else in the compile cache, Node needs no TypeScript compiler.
import "./lib/startup.mjs";

export default async () => {
  await import("./providers.ts");
  return import("./index.ts");
};
