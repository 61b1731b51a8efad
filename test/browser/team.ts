import { expect, type Page } from '@playwright/test';
import type { Role } from '../../src/contract/roles.ts';
import { type Person, type Rig, TEAM } from './rig.ts';

/* What tests do to the team, and ask about it, beside the browser. */

const DARA: Person = { name: 'Dara Okafor', email: 'dara@acme.example', password: 'nine slow lanterns 9' };

/** Puts events into the log as they are. Unlike a producer's key, this leaves no event of its own. */
export async function append({ operator }: Rig, ...events: readonly object[]): Promise<void> {
  const path = `/v1/events?team=${TEAM}`;
  const { accepted } = await operator.json<{ accepted: number }>('POST', path, events);
  expect(accepted).toBe(events.length);
}

/** How many events of the last day the API counts. */
export async function counted({ operator }: Rig, filter: Readonly<Record<string, string>> = {}): Promise<number> {
  const from = new Date(Date.now() - 86_400_000).toISOString();
  const query = new URLSearchParams({ team: TEAM, from, ...filter });
  const path = `/v1/events/histogram?${query}`;
  const { success, failure } = await operator.json<{ success: number; failure: number }>('GET', path);
  return success + failure;
}

/** Somebody is invited and joins on this page, as people do. Ends signed in. */
export async function join(page: Page, { operator }: Rig, role: Role, person: Person = DARA): Promise<void> {
  const body = { email: person.email, role };
  const { link } = await operator.json<{ link: string }>('POST', `/v1/invitations?team=${TEAM}`, body);
  await page.goto(link);
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create the account and join' }).click();
  await expect(page).toHaveURL(/\/settings\//);
}
