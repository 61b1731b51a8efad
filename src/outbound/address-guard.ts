import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { NetworkPolicy } from './outbound.ts';

/**
 * Decides which addresses may be connected to (design §4). Endpoint URLs come from users, so the guard stands between
 * them and what only this machine can reach.
 */

/** What each policy adds to the one before; carrier-grade NAT (100.64/10) is where overlay networks put private hosts. */
const RANGES: Readonly<Record<NetworkPolicy, readonly string[]>> = {
  public: ['unicast'],
  private: ['unicast', 'private', 'uniqueLocal', 'carrierGradeNat'],
  any: ['unicast', 'private', 'uniqueLocal', 'carrierGradeNat', 'loopback'],
};

/**
 * Refused under every policy although their ranges look ordinary: services that clouds offer to the machine itself
 * (Azure, Alibaba, AWS, Google; 169.254/16 is link-local and refused as such), and IPv4-compatible IPv6 addresses,
 * which would smuggle any IPv4 address past its own range.
 */
const NEVER = ['168.63.129.16/32', '100.100.100.200/32', 'fd00:ec2::/32', 'fd20:ce::/32', '::/96'].map((range) =>
  ipaddr.parseCIDR(range),
);

/** Whether the policy lets us connect to this address; anything that is not plainly an address is refused. */
export function isAllowedAddress(text: string, network: NetworkPolicy): boolean {
  if (isIP(text) === 0) return false;
  // `process` unwraps ::ffff:a.b.c.d. Tunnelled and translated addresses (6to4, Teredo, NAT64) have ranges of their
  // own, which no policy lists. ipaddr.js takes ::a.b.c.d, which resolvers write for IPv4-compatible addresses, for
  // ::ffff:a.b.c.d unless the zero before it is written out.
  const address = ipaddr.process(text.replace(/^::(?=\d+\.)/, '0::'));
  const range = address.range();
  if (!RANGES[network].includes(range)) return false;
  return range === 'loopback' || !NEVER.some((cidr) => address.kind() === cidr[0].kind() && address.match(cidr));
}

/** The policy that would have to be set for this address, for the operator; undefined when none allows it. */
export function policyFor(address: string): NetworkPolicy | undefined {
  return (['public', 'private', 'any'] as const).find((network) => isAllowedAddress(address, network));
}
