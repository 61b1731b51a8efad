import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowedAddress, policyFor } from './address-guard.ts';

describe('the address guard', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['127.0.0.1', 'any'],
    ['127.255.255.254', 'any'],
    ['::1', 'any'],
    ['::ffff:127.0.0.1', 'any'],
    ['::ffff:7f00:1', 'any'],
  ])('lets %s pass from the policy %s on', (address, policy) => {
    expect(policyFor(address)).toBe(policy);
  });

  it.each([
    // What clouds offer to the machine itself.
    ...['169.254.169.254', '169.254.170.2', '::ffff:169.254.169.254', '168.63.129.16', '::ffff:168.63.129.16'],
    ...['100.100.100.200', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', '192.0.0.192', 'fe80::1', 'fe80::1%eth0'],
    // No host at all, or every host.
    ...['0.0.0.0', '0.1.2.3', '::', '255.255.255.255', '224.0.0.1', 'ff02::1', '240.0.0.1', '198.18.0.1', '192.0.2.1'],
    // IPv4 in disguise: IPv4-compatible, NAT64, 6to4, Teredo, translated.
    ...['::7f00:1', '::a00:1', '::127.0.0.1', '::10.0.0.1', '::8.8.8.8', '0::8.8.8.8'],
    ...['64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::a00:1', '2002:7f00:1::'],
    ...['2001:0:7f00:1::', '::ffff:0:7f00:1', '100::1', '2001:db8::1', 'fec0::1'],
    // No addresses.
    ...['localhost', '', '127.1', '0x7f.1', '2130706433', '127.0.0.1.', ' 8.8.8.8'],
  ])('refuses %j under every policy', (address) => {
    expect(policyFor(address)).toBeUndefined();
  });

  it('allows no address that a wider policy refuses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        if (isAllowedAddress(address, 'public')) expect(isAllowedAddress(address, 'private')).toBe(true);
        if (isAllowedAddress(address, 'private')) expect(isAllowedAddress(address, 'any')).toBe(true);
      }),
    );
  });

  it('judges an IPv4 address alike however IPv6 maps it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(policyFor(`::ffff:${address}`)).toBe(policyFor(address));
      }),
      { numRuns: 500 },
    );
  });
});
