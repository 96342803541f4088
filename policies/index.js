// Entry of the directory form. run-policy-pack require()s it with ts-node registered, which cannot load ESM TypeScript; import() goes
// through Node's own loader, which can (Node >= 22.18). No top-level await: a module with one cannot be require()d.
import("./pack.ts").catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
