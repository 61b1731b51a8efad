import { describe, expect, it } from 'vitest';
import { allowedFor, rolesGivenBy } from './rules.ts';

const owner = { id: 'o', role: 'owner', status: 'active' } as const;
const admin = { id: 'a', role: 'admin', status: 'active' } as const;

describe('what one may change about a member', () => {
  it('is nothing about the only Owner, and says why', () => {
    const allowed = allowedFor(owner, owner, [owner, admin]);
    expect(allowed).toMatchObject({ roles: [], canRemove: false });
    expect(allowed.reason).toContain('only Owner');
  });

  it('counts no deactivated Owner as one', () => {
    const former = { id: 'f', role: 'owner', status: 'deactivated' } as const;
    expect(allowedFor(owner, owner, [owner, former]).roles).toEqual([]);
    expect(allowedFor(former, owner, [owner, former]).roles).not.toEqual([]);
  });

  it('is nothing about an Owner for an Admin', () => {
    expect(allowedFor(owner, admin, [owner, { ...owner }, admin])).toMatchObject({
      roles: [],
      canDeactivate: false,
      canRemove: false,
    });
  });

  it('is leaving, but not deactivating oneself', () => {
    expect(allowedFor(admin, admin, [owner, admin])).toMatchObject({ canDeactivate: false, canRemove: true });
  });

  it('leaves making Owners to Owners', () => {
    expect(rolesGivenBy('admin')).not.toContain('owner');
    expect(rolesGivenBy('owner')).toContain('owner');
  });
});
