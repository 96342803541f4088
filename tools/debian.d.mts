export function ensureDebianPackages(
  names: string[],
  options?: { log?: string; doing?: (text: string) => void },
): Promise<string[]>;
export function missingPackages(names: string[]): string[];
export function debianArchive(): string;
