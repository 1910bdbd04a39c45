import { BlockList, isIP } from "node:net";
import { VconductorError } from "../errors.ts";

/**
 * Addresses that a fetch from inside the server must not reach: they lead to the machine itself, to its
 * network, or to nowhere public (IANA special-purpose registries, RFC 6890). Two lists, because BlockList
 * also compares IPv4 addresses with IPv6 subnets that hold mapped ones.
 */
const blocked4 = blockList("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
]);

/** Everything but global unicast (2000::/3), less the parts of that which carry IPv4 or are not routed. */
const blocked6 = blockList("ipv6", [
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]);

function blockList(family: "ipv4" | "ipv6", subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family);
  return list;
}

/** Whether `address` (an IP address as text, a zone is ignored) is on the public internet. */
export function isPublicAddress(address: string): boolean {
  const bare = address.split("%")[0] ?? "";
  const family = isIP(bare);
  if (family === 4) return !blocked4.check(bare, "ipv4");
  return family === 6 && !blocked6.check(bare, "ipv6");
}

export function refusedAddress(host: string, address: string): VconductorError {
  const text = `fetch of ${host} refused: ${address} is not a public address; to allow it, name the host in FETCH_ALLOW`;
  return new VconductorError("fetch_refused", text);
}
