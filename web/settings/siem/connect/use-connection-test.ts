import { useEffect, useRef, useState } from 'react';
import { send } from '../../../api/api.ts';
import { eventsOf } from '../../../api/events-of.ts';
import { useTeam } from '../../../app/session.tsx';
import type { Step } from '../model.ts';
import type { SettingsForm } from './use-settings-form.ts';

export interface ConnectionTest {
  readonly status: 'idle' | 'running' | 'done' | 'failed';
  readonly steps: readonly Step[];
  /** Why no test was made at all. */
  readonly error: unknown;
  /** The values have changed since. */
  readonly isOutdated: boolean;
  /** Tests what stands in the form now. */
  run(): void;
  /** A field was left: tests at once if something new can be tested. */
  onBlur(): void;
}

/** How long values rest before they are tested, milliseconds. */
const SETTLED_MS = 800;
const IDLE = { status: 'idle', steps: [], error: null, tested: null } as const;

interface State extends Pick<ConnectionTest, 'status' | 'steps' | 'error'> {
  readonly tested: string | null;
}

/** "Test connection" of what stands in the form: runs by itself once everything required is there and rests. */
export function useConnectionTest(kind: string, form: SettingsForm): ConnectionTest {
  const team = useTeam();
  const [state, setState] = useState<State>(IDLE);
  const running = useRef<AbortController>(null);
  const settings = form.sent();
  const key = JSON.stringify(settings);
  // What is stored already works or does not; its page says which. Only changes are worth a test unasked.
  const [opened] = useState(form.destination ? key : null);
  const isDue = form.isComplete && key !== state.tested && key !== opened;

  const run = async (): Promise<void> => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    setState({ status: 'running', steps: [], error: null, tested: key });
    try {
      const { destination } = form;
      // What is stored is tested as such: a success lets its deliveries go on at once.
      const isStored = destination !== undefined && Object.keys(settings).length === 0;
      const response = await send('POST', `/v1/destinations/${isStored ? `${destination.id}/` : ''}test`, {
        query: { team: team.id },
        ...(!isStored && { body: { kind, settings, ...(destination && { id: destination.id }) } }),
        headers: { accept: 'text/event-stream' },
        signal,
      });
      form.showProblem(null);
      for await (const { event, data } of eventsOf(response)) {
        if (signal.aborted) return;
        const told: unknown = JSON.parse(data);
        if (event === 'step') setState((before) => ({ ...before, steps: [...before.steps, told as Step] }));
        if (event === 'result') setState((before) => ({ ...before, status: isOk(told) ? 'done' : 'failed' }));
      }
    } catch (error) {
      if (signal.aborted) return;
      // What fields can show stands beside them.
      const shown = form.showProblem(error);
      setState((before) => ({ ...before, status: shown ? 'idle' : 'failed', error: shown ? null : error }));
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a test is due when the values have rested, not when the page renders
  useEffect(() => {
    if (!isDue) return;
    running.current?.abort();
    const timer = setTimeout(() => void run(), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [key, isDue]);
  useEffect(() => () => running.current?.abort(), []);

  return {
    status: state.status,
    steps: state.steps,
    error: state.error,
    isOutdated: state.tested !== null && state.tested !== key,
    run: () => void (form.check() && run()),
    onBlur: () => void (isDue && run()),
  };
}

function isOk(told: unknown): boolean {
  return typeof told === 'object' && told !== null && 'ok' in told && told.ok === true;
}
