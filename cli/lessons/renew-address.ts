import type { Bench } from "./bench.ts";

/** Restarts the sidecar. @returns its address before and after @throws Error for the same one */
export async function renewAddress(bench: Bench): Promise<{ before: string; after: string }> {
  const before = await bench.tailnetAddress();
  await bench.docker("kvm", "restart", bench.container("sidecar"));
  let after = before;
  const changed = await bench.within(60, async () => {
    after = await bench.tailnetAddress();
    return after.startsWith("100.") && after !== before;
  });
  if (changed === undefined) throw new Error(`the restarted sidecar is ${after} still`);
  return { before, after };
}
