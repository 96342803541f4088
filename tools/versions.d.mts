export function onPath(name: string, path?: string): string | undefined;
export function isExecutable(file: string): boolean;
export function versionOf(file: string, args: string[], memory: string): string | undefined;
export function atLeast(version: string | undefined, least: string): boolean;
