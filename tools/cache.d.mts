export function cacheRoot(env?: NodeJS.ProcessEnv): string;
export function keyOf(...parts: unknown[]): string;
export function folderHash(folder: string): string;
export function makeWhole<T>(target: string, fill: (folder: string) => Promise<T> | T): Promise<T>;
export function dropUnderWay(): void;
export function dropAbandoned(folder: string): void;
export function isAlive(pid: number): boolean;
