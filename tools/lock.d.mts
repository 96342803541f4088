export function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options?: { onWait?: (pid: number) => void; poll?: number },
): Promise<T>;
export function releaseAll(): void;
