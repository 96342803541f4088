export function forgetNoRoute(): void;
export function whyNoDownloads(env?: NodeJS.ProcessEnv): string | undefined;
