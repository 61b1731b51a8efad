import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { OpenOutbound } from '../outbound/outbound.ts';
import { Secret, type SecretBox } from '../secrets.ts';
import type { Team, TeamStore } from '../store/teams.ts';

/** How long the receiver may take; what it has to do can wait until it has answered. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface WebhookMessage {
  /** The same for every attempt: receivers recognise a repeat by it. */
  readonly id: string;
  readonly body: string;
}

interface WebhookDependencies {
  readonly openOutbound: OpenOutbound;
  readonly secretBox: SecretBox;
  readonly clock: Pick<Clock, 'now'>;
}

type Posted =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

/**
 * Posts a signed message (Standard Webhooks 1.0.0) to the team's webhook. A 2xx answer is "taken"; redirects are not
 * followed. Never rejects.
 */
export async function postWebhook(
  { openOutbound, secretBox, clock }: WebhookDependencies,
  { id: team, alerts: { webhook } }: Pick<Team, 'id' | 'alerts'>,
  { id, body }: WebhookMessage,
  signal: AbortSignal,
): Promise<Posted> {
  if (!webhook) return { ok: false, detail: 'The team has no webhook.', fix: 'Enter its address and save.' };
  const at = new Date(clock.now());
  const signature = sign((secret) => new Webhook(secret).sign(id, at, body), secretBox, team, webhook.sealed);
  if (!signature)
    return { ok: false, detail: 'The signing secret cannot be opened.', fix: 'Make a new signing secret.' };
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': signature,
  };
  const outbound = openOutbound({ answerTimeoutMs: ANSWER_TIMEOUT_MS });
  const answer = await outbound.request({ method: 'POST', url: webhook.url, headers, body }, signal);
  await outbound.close();
  if (answer.kind === 'failure') {
    const fix = answer.blocked
      ? 'Enter another address.'
      : (answer.fix ?? 'Check the address, and that it can be reached from here.');
    return { ok: false, detail: answer.reason, fix };
  }
  const detail = `${new URL(webhook.url).host} answered ${answer.status}`;
  if (answer.status >= 200 && answer.status < 300) return { ok: true, detail };
  const fix =
    answer.status >= 300 && answer.status < 400
      ? 'Enter the address it leads to: redirects are not followed.'
      : 'Look at what its receiver says of this call: it must answer 2xx.';
  return { ok: false, detail, fix };
}

/** A new signing secret of a team's webhook: `whsec_` and 32 random bytes as base64. */
export function newWebhookSecret(secretBox: SecretBox, team: TeamId): { sealed: string; secret: string } {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  return { sealed: secretBox.seal(new Secret(secret), ownerOf(team)), secret };
}

/** After a rotation of the master key: seals the teams' signing secrets anew. Returns how many were. */
export async function resealWebhooks(teams: Pick<TeamStore, 'list' | 'update'>, secretBox: SecretBox): Promise<number> {
  let changed = 0;
  for (const team of await teams.list()) {
    const { webhook } = team.alerts;
    if (!webhook || secretBox.isCurrent(webhook.sealed)) continue;
    const sealed = secretBox.seal(secretBox.open(webhook.sealed, ownerOf(team.id)), ownerOf(team.id));
    await teams.update({ ...team, alerts: { ...team.alerts, webhook: { ...webhook, sealed } } }, []);
    changed += 1;
  }
  return changed;
}

/** undefined: sealed under a key that is gone. */
function sign(using: (secret: string) => string, box: SecretBox, team: TeamId, sealed: string): string | undefined {
  try {
    return using(box.open(sealed, ownerOf(team)).reveal());
  } catch {
    return undefined;
  }
}

function ownerOf(team: TeamId): string {
  return `team:${team}:webhook`;
}
