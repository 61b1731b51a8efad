import { hash, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Bell } from '../delivery/bell.ts';
import type { Delivery, Health } from '../delivery/delivery.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { Mailer } from '../outbound/mail.ts';
import type { OpenOutbound } from '../outbound/outbound.ts';
import type { SecretBox } from '../secrets.ts';
import type { Alerted, AlertStore } from '../store/alerts.ts';
import type { StoredDestination } from '../store/destinations.ts';
import type { Team, TeamStore } from '../store/teams.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Alerting, TestedAlert } from './alerting.ts';
import { decide, isBad } from './decide.ts';
import { newWebhookSecret, postWebhook } from './webhook.ts';
import { type Alert, mailOf, testMailOf, testWebhookBodyOf, webhookBodyOf } from './words.ts';

export interface AlertingDependencies {
  readonly delivery: Pick<Delivery, 'list' | 'get' | 'health'>;
  readonly teams: Pick<TeamStore, 'get'>;
  readonly alerts: AlertStore;
  /** E-mail addresses of the team's active Owners and Admins. */
  readonly recipientsOf: (team: TeamId) => Promise<readonly string[]>;
  readonly mailer: Mailer;
  readonly openOutbound: OpenOutbound;
  readonly secretBox: SecretBox;
  /** For the kinds' titles. */
  readonly kinds: readonly { readonly kind: string; readonly title: string }[];
  readonly baseUrl: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Starts alerting and looks at every destination once. While nothing is due no timer runs. A state counts as told as
 * soon as anybody was told, and is written down right after: a crash between the two repeats the alert once. Whoever
 * could not be told is tried again while the state lasts.
 */
export function createAlerting(deps: AlertingDependencies): Alerting {
  const { delivery, teams, alerts, clock, logger, secretBox } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const told = new Map<string, Alerted>();
  const watches = new Map<string, { readonly bell: Bell; readonly ended: Promise<void> }>();

  const noticed = (id: string): void => {
    const bell = watches.get(id)?.bell ?? new Bell(clock);
    if (watches.has(id)) bell.ring();
    else if (!signal.aborted) watches.set(id, { bell, ended: watchOver(id, bell) });
  };

  const started = (async () => {
    for (const alerted of await alerts.list()) told.set(alerted.destination, alerted);
    for (const { id } of await delivery.list()) noticed(id);
  })().catch((error: unknown) => logger.error({ err: error }, 'alerting could not look at the destinations'));

  /** Looks at the destination whenever there may be something to tell, until it is gone. */
  async function watchOver(id: string, bell: Bell): Promise<void> {
    await started;
    /** Since when it is unwell, through whatever states. */
    let unwellSince: number | null = null;
    let telling: Telling | null = null;
    let failures = 0;
    while (!signal.aborted) {
      let until: number | null = null;
      try {
        const found = await find(id);
        if (!found) break;
        const { state, since } = found.health;
        unwellSince = isBad(state) ? Math.min(unwellSince ?? since, since) : null;
        if (telling?.alert.health.state !== state) telling = null;
        if (!telling) {
          const decision = decide({ state, since: unwellSince ?? since }, told.get(id), clock.now());
          if (decision.do === 'tell') telling = await begin(found);
          if (decision.do === 'wait') until = decision.until;
        }
        if (telling && isDue(telling.dueAt, clock.now())) telling = await tell(telling);
        until = telling?.dueAt ?? until;
        failures = 0;
      } catch (error) {
        if (!signal.aborted) logger.error({ err: error, destination: id }, 'alerting failed; it looks again');
        until = clock.now() + pauseMs(failures++);
      }
      if (!signal.aborted) await bell.wait(until);
    }
    watches.delete(id);
    told.delete(id);
  }

  async function find(id: string): Promise<Found | undefined> {
    const stored = await delivery.get(id);
    const team = stored && (await teams.get(stored.team));
    return team && { stored, team, health: await delivery.health(id) };
  }

  async function begin({ stored, team, health }: Found): Promise<Telling> {
    const { id, kind, name } = stored;
    const title = deps.kinds.find((known) => known.kind === kind)?.title ?? kind;
    return {
      alert: {
        ...{ team, health, at: clock.now(), baseUrl: deps.baseUrl() },
        destination: { id, kind, name, title },
        previous: told.get(id)?.state ?? null,
      },
      ways: [WEBHOOK, ...(deps.mailer.isConfigured ? await deps.recipientsOf(team.id) : [])],
      failures: 0,
      dueAt: clock.now(),
    };
  }

  /** Tries every way that is left; null when none is. The team's settings are read anew: a person may have mended them. */
  async function tell({ alert, ways, failures }: Telling): Promise<Telling | null> {
    const { destination, health } = alert;
    const team = await teams.get(alert.team.id);
    const open = ways.filter((way) => (way === WEBHOOK ? team?.alerts.webhook : team?.alerts.mail));
    const message = { id: messageId(alert), body: webhookBodyOf(alert) };
    const problems = await Promise.all(
      open.map(async (way) => {
        if (way !== WEBHOOK) return deps.mailer.send({ to: way, ...mailOf(alert) }, signal);
        const posted = await postWebhook(deps, team!, message, signal);
        return posted.ok ? undefined : posted.detail;
      }),
    );
    const left = open.filter((_, i) => problems[i] !== undefined);
    if (left.length < open.length && told.get(destination.id)?.state !== health.state) await remember(alert);
    if (left.length === 0 || signal.aborted) return null;
    const reasons = problems.filter((problem) => problem !== undefined);
    logger.warn({ destination: destination.id, reasons }, 'an alert was not taken; it is tried again while this lasts');
    return { alert, ways: left, failures: failures + 1, dueAt: clock.now() + pauseMs(failures) };
  }

  async function remember({ destination: { id }, health: { state } }: Alert): Promise<void> {
    const alerted = { destination: id, state, toldAt: { ...told.get(id)?.toldAt, [state]: clock.now() } };
    told.set(id, alerted);
    // What was told was told: without the record, a restart repeats it, and nothing else goes wrong.
    await alerts.put(alerted).catch((error: unknown) => {
      logger.error({ err: error, destination: id }, 'an alert was sent but could not be recorded');
    });
  }

  async function testMail(team: Team): Promise<TestedAlert> {
    if (!deps.mailer.isConfigured)
      return { ok: false, detail: 'This installation sends no mail.', fix: 'Its operator sets SMTP_URL.' };
    const recipients = await deps.recipientsOf(team.id);
    const mail = testMailOf(team, deps.baseUrl());
    const problems = await Promise.all(recipients.map((to) => deps.mailer.send({ to, ...mail }, signal)));
    const failed = [...new Set(problems.filter((problem) => problem !== undefined))];
    return failed.length === 0
      ? { ok: true, detail: `The mail server took it for ${recipients.join(', ')}.`, fix: null }
      : { ok: false, detail: failed.join('; '), fix: 'The operator checks SMTP_URL and the mail server.' };
  }

  async function testWebhook(team: Team): Promise<TestedAlert> {
    const body = testWebhookBodyOf(team, deps.baseUrl(), clock.now());
    const posted = await postWebhook(deps, team, { id: `msg_${randomUUID()}`, body }, signal);
    return posted.ok ? { ...posted, fix: null } : posted;
  }

  return {
    noticed,
    async test(id, channel) {
      const team = await teams.get(id);
      if (!team) return { ok: false, detail: 'There is no such team.', fix: null };
      return channel === 'mail' ? testMail(team) : testWebhook(team);
    },
    newSecret: (team) => newWebhookSecret(secretBox, team),
    async stop() {
      stopping.abort();
      await started;
      const ended = [...watches.values()].map((watch) => watch.ended);
      for (const { bell } of watches.values()) bell.ring();
      await Promise.all(ended);
    },
  };
}

interface Found {
  readonly stored: StoredDestination;
  readonly team: Team;
  readonly health: Health;
}

/** An alert on its way to those who could not be told yet. */
interface Telling {
  readonly alert: Alert;
  /** `WEBHOOK`, or an e-mail address. */
  readonly ways: readonly string[];
  readonly failures: number;
  readonly dueAt: number;
}

const WEBHOOK = 'webhook';

/** The same for the same change of state, even when a crash makes us tell it again. */
function messageId({ destination, health }: Alert): string {
  return `msg_${hash('sha256', `${destination.id} ${health.state} ${health.since}`, 'hex').slice(0, 32)}`;
}

const LONGEST_PAUSE_MS = 15 * 60_000;

/** How long to wait after so many failures: 5 s, doubling up to 15 min. */
function pauseMs(failures: number): number {
  return Math.min(5_000 * 2 ** failures, LONGEST_PAUSE_MS);
}

/** A time further off than any pause was set before the clock was set back. */
function isDue(at: number, now: number): boolean {
  return at <= now || at > now + LONGEST_PAUSE_MS;
}
