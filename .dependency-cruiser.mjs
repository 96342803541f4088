/**
 * The layers of docs/design.md as a rule: no import runs up, and none in a circle. `npm run lint`
 * holds the sources against it. Types count: whoever needs another's type stands on it.
 */

/** What is deployed: nothing of it needs what develops it. */
const PROGRAM = "^(index|providers)\\.ts$|^main\\.mjs$|^(components|config|lib|policies|provider|verify)/";

/** @returns a rule by which what `from` matches imports nothing that `to` matches */
const never = (name, comment, from, to) => ({
  name,
  comment,
  severity: "error",
  from: typeof from === "string" ? { path: from } : from,
  to: typeof to === "string" ? { path: to } : to,
});
/** @returns a rule by which a folder imports nothing of the project but itself and `others` */
const only = (folder, ...others) =>
  never(
    `${folder.replaceAll("/", "-")}-stands-on-what-is-below`,
    `${folder}/ imports ${["itself", ...others].join(", ")} and packages alone`,
    `^${folder}/`,
    {
      dependencyTypesNot: ["core"],
      path: "^[^/]+\\.(ts|mjs)$|^[a-z]+/",
      pathNot: `^(${[folder, ...others].join("|")})/`,
    },
  );

export default {
  forbidden: [
    never("no-circle", "a circle has no bottom: move what both need below both", {}, { circular: true }),
    only("lib"),
    only("config", "lib"),
    only("provider", "lib"),
    only("verify", "lib"),
    only("policies", "lib"),
    only("components", "config", "lib", "provider", "verify"),
    only("tools"),
    only("lab", "lib", "tools"),
    never(
      "program-alone",
      "what is deployed needs nothing of cli/, lab/, tools/ and test/",
      PROGRAM,
      "^(cli|lab|tools|test)/",
    ),
    never("no-test", "tests are imported by tests", { pathNot: "^test/" }, "^test/"),
    never(
      "plugin-below",
      "the gRPC side knows no server",
      "^provider/plugin/",
      "^provider/(server|keys|registry|dns)/",
    ),
    never(
      "server-below",
      "how a server is reached depends on no generation",
      "^provider/server/",
      "^provider/(keys|registry)/",
    ),
    never(
      "keys-apart",
      "the generations share what is in server/",
      "^(provider|lib/desired-state)/keys/",
      "^(provider|lib/desired-state)/registry/",
    ),
    never(
      "registry-apart",
      "the generations share what is in server/",
      "^(provider|lib/desired-state)/registry/",
      "^(provider|lib/desired-state)/keys/",
    ),
    never(
      "framework-below",
      "the framework knows no fact and no rule",
      "^policies/framework/",
      "^policies/(facts|rules)/",
    ),
    never(
      "check-on-top",
      "what judges files without Pulumi asks the rules, and they know nothing of it",
      "^policies/(framework|facts|rules)/",
      "^policies/check/",
    ),
    never("facts-below", "facts know no rule", "^policies/facts/", "^policies/rules/"),
    never(
      "rule-apart",
      "one rule a file; what two need is a fact",
      { path: "^policies/rules/", pathNot: "/index\\.ts$" },
      "^policies/rules/",
    ),
    never(
      "policies-share-no-intent",
      "policies share parsers with the components and never what these intend: both would be wrong together",
      "^policies/",
      "^lib/(desired-state|stalwart|caddy|dns/(?!spf-terms))/?|^lib/mail-services|^lib/tailnet/(flows|grants|policy-document|policy-checks)",
    ),
  ],
  options: {
    exclude: { path: "^(node_modules|policies/dist|tools/(go|stalwart))/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mts", ".mjs", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "require"],
    },
  },
};
