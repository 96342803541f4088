import { runIn } from "./machine.ts";
import type { Machine } from "./topology.ts";

/**
 * Lowers the limit of the process's cgroup to a little above what it uses, and has a program in it
 * take that; then takes the limit back. The kernel is told which one to choose, as it would by its
 * size. cgroup v1 has a folder a controller, v2 one for all. tail(1) keeps what it is to print, so
 * its memory is bounded.
 */
const SCRIPT = `
read -r name < "/proc/$0/comm"
v1=$(sed -n 's/^[0-9]*:memory://p' "/proc/$0/cgroup")
if [ -n "$v1" ]; then
  folder=/sys/fs/cgroup/memory$v1 used=memory.usage_in_bytes limit=memory.limit_in_bytes none=-1
else
  folder=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$0/cgroup") used=memory.current limit=memory.max none=max
fi
# The container may have ended with its server, and its cgroup with it.
trap 'if [ -e "$folder/$limit" ]; then echo $none > "$folder/$limit"; fi' EXIT
echo $(($(cat "$folder/$used") + 8388608)) > "$folder/$limit"
echo 1000 > "/proc/$0/oom_score_adj"
(
  sh -c 'echo $PPID' > "$folder/cgroup.procs"
  head -c 67108864 /dev/zero | tail -c 67108864 > /dev/null
) &
n=0
while [ -e "/proc/$0" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done
wait
[ ! -e "/proc/$0" ] || { echo "the kernel has not killed $name" >&2; exit 1; }
`;

/** Has the kernel kill a process for want of memory in its container. @param pid in the machine */
export async function outOfMemory(machine: Machine, pid: string): Promise<void> {
  await runIn(machine, ["sh", "-ec", SCRIPT, pid], { timeout: 30_000 });
}
