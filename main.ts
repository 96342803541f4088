// What Pulumi starts (`main` of package.json). The program is index.ts; it is imported only when start-up is prepared.
import "./lib/startup.ts";

export default () => import("./index.ts");
