import { randomBytes } from 'node:crypto';
import { fetch } from 'undici';
import type { Api } from './cli/api.ts';
import type { Role } from './contract/roles.ts';

/** The people of the demo's team; the first is who the printed link signs in. */
const PEOPLE: readonly (readonly [email: string, name: string, role: Role])[] = [
  ['ana.nunez@acme.example', 'Ana Núñez', 'owner'],
  ['bjorn@acme.example', 'Björn Åkesson', 'admin'],
  ['dara.oneill@acme.example', 'Dara O’Neill', 'auditor'],
  ['emile@acme.example', 'Émile Lefèvre', 'member'],
];
/** Has not answered yet. */
const INVITED = { email: 'chen.wei@acme.example', role: 'admin' } as const satisfies { email: string; role: Role };

/** Invites people into the team and accepts for them, as they would themselves. */
export async function joinPeople(operator: Api, url: string, team: string): Promise<void> {
  const invite = (email: string, role: Role) =>
    operator.json<{ link: string }>('POST', `/v1/invitations?team=${team}`, { email, role });
  for (const [email, name, role] of PEOPLE) {
    const { link } = await invite(email, role);
    // Nobody needs the password: the demo's links sign in.
    const body = { token: new URL(link).hash.slice(1), name, password: randomBytes(24).toString('base64url') };
    const answer = await fetch(`${url}/v1/invitations/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'Trailproof demo' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${email} could not join: ${await answer.text()}`);
  }
  await invite(INVITED.email, INVITED.role);
}

/** A one-time link that opens the console as the team's Owner. */
export async function signInLink(operator: Api): Promise<string> {
  const { url } = await operator.json<{ url: string }>('POST', '/v1/links', { kind: 'sign-in', email: PEOPLE[0]![0] });
  return url;
}
