import { randomUUIDv7 } from 'node:crypto';
import type { Api } from '../../../src/cli/api.ts';
import type { Configuration } from './configuration-state.ts';
import type { Site } from './site.ts';

/** Something that is configured, as its answers say it is. */
export interface Subject {
  /** Never changes: the trail is found by it. */
  readonly name: string;
  /** What it is now, in the words of `stateIn`. */
  state: string;
  /** Types of the audit events that its changes left, oldest first. */
  readonly trail: string[];
  /** The change that got no answer yet. */
  open: Change | null;
  /** What may be done to it now. */
  changes(): readonly Change[];
  stateIn(configuration: Configuration): string;
}

export interface Change {
  readonly type: string;
  readonly to: string;
  send(at: { readonly operator: Api; readonly api: Api }): Promise<void>;
}

/** A change was made. */
export function settle(subject: Subject, { type, to }: Change): void {
  subject.state = to;
  subject.trail.push(type);
  subject.open = null;
}

/** Two destinations, two keys, two people and two teams. */
export function subjects(site: Site): readonly Subject[] {
  return ['one', 'two'].flatMap((n) => [destination(site, n), apiKey(n), person(site, n), team(site, n)]);
}

const ABSENT = 'absent';

function destination(site: Site, n: string): Subject {
  const name = `destination-${n}`;
  let made = 0;
  /** It keeps its number while its name changes: a deleted one is followed by another. */
  let current = name;
  let id: string | null = null;
  const is = (called: string, types: string, isPaused: boolean): string =>
    `${called} ${types} ${isPaused ? 'paused' : 'on'}`;
  const subject: Subject = {
    ...{ name, state: ABSENT, trail: [], open: null },
    changes: () => {
      if (subject.state === ABSENT) {
        const settings = site.sandbox.standIns.get('splunk')!.settings;
        const body = { kind: 'splunk', name, settings, startAt: 'now' };
        const send: Change['send'] = async ({ api }) => {
          ({ id } = await api.json<{ id: string }>('POST', '/v1/destinations', body));
        };
        return [{ type: 'siem.destination.created', to: is(name, 'all', false), send }];
      }
      const [called = '', types = '', how] = subject.state.split(' ');
      const isPaused = how === 'paused';
      const path = `/v1/destinations/${id}`;
      const renamed = `${name}.${++made}`;
      const type = random(site);
      return [
        {
          type: 'siem.destination.updated',
          to: is(renamed, types, isPaused),
          send: async ({ api }) => void (await api.json('PATCH', path, { name: renamed })),
        },
        {
          type: 'siem.categories.updated',
          to: is(called, type, isPaused),
          send: async ({ api }) => void (await api.json('PATCH', path, { filter: { eventTypes: [type] } })),
        },
        {
          type: isPaused ? 'siem.destination.resumed' : 'siem.destination.paused',
          to: is(called, types, !isPaused),
          send: async ({ api }) => void (await api.json('POST', `${path}/${isPaused ? 'resume' : 'pause'}`)),
        },
        {
          type: 'siem.destination.deleted',
          to: ABSENT,
          send: async ({ api }) => void (await api.json('DELETE', path)),
        },
      ];
    },
    stateIn: ({ destinations }) => {
      const found = destinations.find((one) => one.name.split('.')[0] === name);
      id = found?.id ?? null;
      current = found?.name ?? name;
      return found ? is(current, found.filters.at(-1)?.eventTypes?.join() ?? 'all', found.paused !== null) : ABSENT;
    },
  };
  return subject;
}

function random({ random: { between } }: Site): string {
  return `custom.type_${between(1, 1_000_000)}`;
}

function apiKey(n: string): Subject {
  const name = `key-${n}`;
  let id: string | null = null;
  const subject: Subject = {
    ...{ name, state: ABSENT, trail: [], open: null },
    changes: () => {
      const body = { team: 'acme', name, scopes: ['events:read'] };
      if (subject.state === 'active')
        return [
          {
            type: 'apikey.revoked',
            to: 'revoked',
            send: async ({ operator }) => void (await operator.json('DELETE', `/v1/api-keys/${id}`)),
          },
        ];
      const send: Change['send'] = async ({ operator }) => {
        ({ id } = await operator.json<{ id: string }>('POST', '/v1/api-keys', body));
      };
      return [{ type: 'apikey.created', to: 'active', send }];
    },
    stateIn: ({ keys }) => {
      const found = keys.findLast((key) => key.name === name);
      id = found?.id ?? null;
      if (!found) return ABSENT;
      return found.revokedAt === null ? 'active' : 'revoked';
    },
  };
  return subject;
}

/** Invited, withdrawn, joined, given another role, removed. */
function person(site: Site, n: string): Subject {
  let round = 0;
  const people = `person-${n}`;
  const email = (): string => `${people}@acme.example`;
  let invitation: string | null = null;
  let user: string | null = null;
  let token: string | null = null;
  let hasAccount = false;
  const by = '?team=acme';
  const subject: Subject = {
    ...{ name: email(), state: ABSENT, trail: [], open: null },
    changes: () => {
      const [what, role] = subject.state.split(' ');
      if (what === ABSENT) {
        const send: Change['send'] = async ({ operator }) => {
          const body = { email: email(), role: 'member' };
          const made = await operator.json<{ id: string; link: string }>('POST', `/v1/invitations${by}`, body);
          invitation = made.id;
          token = made.link.split('#')[1]!;
        };
        return [{ type: 'user.invited', to: 'invited', send }];
      }
      if (what === 'invited') {
        const withdraw: Change = {
          type: 'user.invitation_revoked',
          to: ABSENT,
          send: async ({ operator }) => void (await operator.json('DELETE', `/v1/invitations/${invitation}${by}`)),
        };
        // Whoever has an account already would sign in first: they stay invited here, or are withdrawn.
        if (hasAccount || token === null) return [withdraw];
        const body = { token, name: people, password: `four unrelated words ${round++}` };
        const join: Change = {
          type: 'user.joined_team',
          to: 'member member',
          send: async ({ operator }) => {
            hasAccount = true;
            await operator.json('POST', '/v1/invitations/accept', body);
            const { items } = await operator.json<{ items: { id: string; email: string }[] }>(
              'GET',
              `/v1/members${by}`,
            );
            user = items.find((one) => one.email === email())?.id ?? null;
          },
        };
        return [join];
      }
      const next = site.random.pick(['member', 'admin', 'auditor'].filter((one) => one !== role));
      return [
        {
          type: 'user.role_changed',
          to: `member ${next}`,
          send: async ({ operator }) => void (await operator.json('PATCH', `/v1/members/${user}${by}`, { role: next })),
        },
        {
          type: 'user.role_changed',
          to: `member ${next}`,
          send: async ({ operator }) => void (await operator.json('PATCH', `/v1/members/${user}${by}`, { role: next })),
        },
        {
          type: 'user.removed',
          to: ABSENT,
          send: async ({ operator }) => void (await operator.json('DELETE', `/v1/members/${user}${by}`)),
        },
      ];
    },
    stateIn: ({ invitations, members }) => {
      invitation = invitations.find((one) => one.email === email())?.id ?? null;
      // The link of an invitation is in its answer alone.
      if (subject.open?.type === 'user.invited') token = null;
      const member = members.find((one) => one.email === email());
      user = member?.user ?? null;
      if (member) return `member ${member.role}`;
      return invitation === null ? ABSENT : 'invited';
    },
  };
  return subject;
}

function team(_: Site, n: string): Subject {
  const id = `team-${n}-${randomUUIDv7()}`;
  let made = 0;
  const subject: Subject = {
    ...{ name: id, state: ABSENT, trail: [], open: null },
    changes: () => {
      if (subject.state === ABSENT) {
        const send: Change['send'] = async ({ operator }) =>
          void (await operator.json('POST', '/v1/teams', { id, name: 'new' }));
        return [{ type: 'team.created', to: 'new', send }];
      }
      const name = `name-${++made}`;
      const send: Change['send'] = async ({ operator }) =>
        void (await operator.json('PATCH', `/v1/team?team=${id}`, { name }));
      return [{ type: 'team.settings.updated', to: name, send }];
    },
    stateIn: ({ teams }) => teams.find((one) => one.id === id)?.name ?? ABSENT,
  };
  return subject;
}
