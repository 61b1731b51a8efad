import { describe, expect, it } from 'vitest';
import { normalise } from './normalise.ts';
import { INSTALLATION_TEAM, type OwnEvent, ownEvent } from './own-event.ts';

const at = Date.parse('2026-01-15T10:30:00.000Z');
const exported: OwnEvent = {
  team: 'acme',
  eventType: 'audit.exported',
  actor: { id: 'u1', type: 'user', email: 'ann@acme.example' },
  target: { type: 'export', id: 'x' },
  description: 'Audit log exported',
  metadata: { format: 'csv' },
  context: { ipAddress: '192.0.2.1' },
  at,
};

describe('an event of our own', () => {
  it('has the form of every other, its category from the catalogue', () => {
    const event = ownEvent(exported);
    const { team: _, at: __, ...sent } = exported;
    const same = { ...sent, timestamp: '2026-01-15T10:30:00.000Z', id: event.id };
    expect(event).toEqual(normalise(same, { team: 'acme', now: at }));
    expect(event).toMatchObject({ eventCategory: 'administrative', timestamp: at });
  });

  it('may belong to the installation', () => {
    expect(JSON.parse(ownEvent({ ...exported, team: INSTALLATION_TEAM }).json)).toHaveProperty(
      'context.teamId',
      '_installation',
    );
  });

  it('must be in the catalogue', () => {
    expect(() => ownEvent({ ...exported, eventType: 'audit.imagined' })).toThrow('audit.imagined');
  });
});
