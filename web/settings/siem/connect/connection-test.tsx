import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import type { Setting } from '../model.ts';
import classes from './connection-test.module.css';
import { fieldOfStep, remedy, type StepLine, stepLines } from './test-steps.ts';
import type { ConnectionTest } from './use-connection-test.ts';

const MARKS = { ok: '✓', failed: '✕', running: '◌', waiting: '○' } as const;
const SAID = { ok: 'passed', failed: 'failed', running: 'being tested', waiting: 'not tested yet' } as const;

/** The steps of "Test connection" as they happen: what was found, and for the one that failed the way to mend it. */
export function ConnectionTestPanel({
  test,
  settings,
  focus,
}: {
  test: ConnectionTest;
  settings: readonly Setting[];
  focus: (name: string) => void;
}) {
  const isRunning = test.status === 'running';
  return (
    <section className={classes['panel']} aria-labelledby="test">
      <Group justify="space-between" gap="xs" mb={6}>
        <Title order={2} id="test">
          {headline(test)}
        </Title>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlugConnected size={14} aria-hidden />}
          onClick={test.run}
        >
          {isRunning ? 'Test again' : 'Test connection'}
        </Button>
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {test.isOutdated && !isRunning
          ? 'The values below were tested before you changed them.'
          : 'Takes the way that events will take, and writes one marked test event.'}
      </Text>
      {test.error !== null && (
        <Alert color="red" variant="light" py="xs" mb="xs" role="alert">
          <Text size="sm">{test.error instanceof Error ? test.error.message : String(test.error)}</Text>
        </Alert>
      )}
      <ol className={classes['steps']} aria-live="polite" data-outdated={test.isOutdated || undefined}>
        {stepLines(test.steps, isRunning, settings).map((line) => (
          <Line key={line.name} line={line} settings={settings} focus={focus} />
        ))}
      </ol>
    </section>
  );
}

function Line({
  line: { title, status, step },
  settings,
  focus,
}: {
  line: StepLine;
  settings: readonly Setting[];
  focus: (name: string) => void;
}) {
  const field = step && !step.ok ? fieldOfStep(step, settings) : undefined;
  return (
    <li className={classes['step']} data-status={status}>
      <span className={classes['mark']} role="img" aria-label={SAID[status]}>
        {MARKS[status]}
      </span>
      <span className={classes['title']}>{title}</span>
      <Stack gap={4} align="flex-start" className={classes['said']!}>
        <Text size="sm" {...(status === 'waiting' && { c: 'dimmed' })}>
          {step?.detail ?? (status === 'running' ? 'looking …' : 'not tested yet')}
        </Text>
        {step?.fix && (
          <Text size="sm" fw={500}>
            {step.fix}
          </Text>
        )}
        {field && (
          <Button size="compact-sm" variant="default" onClick={() => focus(field.name)}>
            {remedy(field)}
          </Button>
        )}
      </Stack>
      <Text size="xs" c="dimmed" className={classes['ms']!}>
        {step ? `${Math.round(step.ms)} ms` : ''}
      </Text>
    </li>
  );
}

function headline({ status, isOutdated }: ConnectionTest): string {
  if (status === 'running') return 'Testing the connection …';
  if (isOutdated || status === 'idle') return 'Connection';
  return status === 'done' ? 'The connection works' : 'The connection does not work yet';
}
