/**
 * An address's two halves, about its last @.
 *
 * @example splitAddress("alice@example.org") // ["alice", "example.org"]
 */
export function splitAddress(address: string): [local: string, domain: string] {
  const at = address.lastIndexOf("@");
  return [address.slice(0, at), address.slice(at + 1)];
}
