/** A small disk for Postgres' files, which can be filled up without harm to anybody else. */
import { runIn } from "./machine.ts";
import { POSTGRES_DATA, startPostgres, stopPostgres } from "./postgres.ts";
import type { Layout } from "./topology.ts";

const SMALL = "/run/small-disk";
const FILLER = `${POSTGRES_DATA}/filler`;

/** The disk has room for what is there, and for so many megabytes more. */
const MOVE = `
size=$(du -sm "$0" | cut -f1)
mkdir -p ${SMALL}
mount -t tmpfs -o mode=0700,size=$((size + $1))m tailwart ${SMALL}
cp -a "$0/." ${SMALL}
chown postgres:postgres ${SMALL}
mount --bind ${SMALL} "$0"
`;
// Renamed at the end, so that one of the two is whole at any time.
const MOVE_BACK = `
mountpoint -q "$0" || exit 0
umount "$0"
rm -rf "$0.new"
cp -a ${SMALL} "$0.new"
rm -rf "$0"
mv "$0.new" "$0"
umount ${SMALL}
`;

async function whileStopped(layout: Layout, script: string, ...args: string[]): Promise<void> {
  await stopPostgres(layout);
  try {
    await runIn(layout.machines.db, ["sh", "-ec", script, POSTGRES_DATA, ...args]);
  } finally {
    await startPostgres(layout, { force: true });
  }
}

/** Puts Postgres' files on a disk that is nearly full. @param room megabytes that are left */
export const moveToSmallDisk = (layout: Layout, room: number): Promise<void> =>
  whileStopped(layout, MOVE, String(room));

/** Puts them back, with all that was written meanwhile. */
export const moveFromSmallDisk = (layout: Layout): Promise<void> => whileStopped(layout, MOVE_BACK);

/** Takes all the room that is left. */
export async function fillSmallDisk(layout: Layout): Promise<void> {
  const fill = ["sh", "-c", 'mountpoint -q "$1" && { cat /dev/zero > "$0" 2>/dev/null; test -s "$0"; }'];
  await runIn(layout.machines.db, [...fill, FILLER, POSTGRES_DATA]);
}

export async function emptySmallDisk(layout: Layout): Promise<void> {
  await runIn(layout.machines.db, ["rm", "-f", FILLER]);
}
