import { Button, Group, Modal, Progress, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTeam } from '../../app/session.tsx';
import { FormProblem } from '../../ui/form.tsx';
import { bytes, count } from '../../ui/words.ts';
import { useExport } from './export.ts';
import { filterInWords } from './filter-words.ts';
import { useWords, type View } from './queries.ts';

const FORMATS = [
  { value: 'csv', label: 'CSV', description: 'For spreadsheets; safe against formulas in what was logged' },
  { value: 'ndjson', label: 'NDJSON', description: 'For programs: an event a line, as it is stored' },
] as const;

/** All events of the filter as a file. */
export function ExportDialog(props: { opened: boolean; view: View; total: number | undefined; onClose: () => void }) {
  const { opened, onClose } = props;
  return (
    <Modal opened={opened} onClose={onClose} title="Export" size="md" closeButtonProps={{ 'aria-label': 'Close' }}>
      <ExportForm {...props} />
    </Modal>
  );
}

function ExportForm({ view, total, onClose }: { view: View; total: number | undefined; onClose: () => void }) {
  const team = useTeam();
  const words = useWords();
  const [format, setFormat] = useState<'csv' | 'ndjson'>('csv');
  const { progress, start, cancel } = useExport();
  const isRunning = progress.state === 'running';
  return (
    <Stack gap="md">
      <div>
        <Text fw={600}>{total === undefined ? 'Counting …' : count(total, 'event')}</Text>
        <Text size="sm" c="dimmed">
          {filterInWords(view.filter, words)}, newest first
        </Text>
      </div>
      <Radio.Group label="Format" value={format} onChange={(value) => setFormat(value === 'csv' ? 'csv' : 'ndjson')}>
        <Stack gap="xs" mt={6}>
          {FORMATS.map(({ value, label, description }) => (
            <Radio key={value} value={value} label={label} description={description} disabled={isRunning} />
          ))}
        </Stack>
      </Radio.Group>
      {isRunning && (
        <div>
          <Progress
            value={total ? Math.min(100, (progress.rows / total) * 100) : 0}
            aria-label="Exported"
            transitionDuration={150}
          />
          <Text size="xs" c="dimmed" mt={6} role="status">
            {count(progress.rows)} {total === undefined ? '' : `of ${count(total)} `}events, {bytes(progress.bytes)}
          </Text>
        </div>
      )}
      {progress.state === 'failed' && <FormProblem error={progress.error} />}
      {progress.state === 'done' && (
        <Text size="sm" role="status">
          ✓ {progress.name} is saved: {count(progress.rows, 'event')}, {bytes(progress.bytes)}.
        </Text>
      )}
      <Text size="xs" c="dimmed">
        Every export is itself an event of this log.
      </Text>
      <Group justify="flex-end" gap="xs">
        {isRunning ? (
          <Button variant="default" onClick={cancel}>
            Cancel
          </Button>
        ) : (
          <>
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            <Button onClick={() => void start({ ...view.query, team: team.id, format }, format)}>Export</Button>
          </>
        )}
      </Group>
    </Stack>
  );
}
