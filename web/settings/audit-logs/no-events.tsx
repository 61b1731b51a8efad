import { Button, Code, Text } from '@mantine/core';
import { useEffect } from 'react';
import { useSession, useTeam } from '../../app/session.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { LinkButton } from '../../ui/link.tsx';
import { useAddress } from './address.ts';
import { NO_FILTER } from './filter.ts';
import { filterInWords } from './filter-words.ts';
import { useWords, type View } from './queries.ts';

/** Where rows would be: how to get the first ones, or what is looked for and is not there. */
export function NoEvents(props: { view: View; isEmptyLog: boolean; arrived: number; onNewest: () => void }) {
  const { view, isEmptyLog, arrived, onNewest } = props;
  const words = useWords();
  const { setFilter } = useAddress();
  // Nobody is reading anything here: what arrives is shown at once.
  useEffect(() => {
    if (arrived > 0) onNewest();
  }, [arrived, onNewest]);

  if (isEmptyLog) return <FirstEvent />;
  return (
    <EmptyState
      title="No event matches"
      action={
        <Button variant="default" onClick={() => setFilter({ ...NO_FILTER, range: {} })}>
          Clear filters, show all time
        </Button>
      }
    >
      {filterInWords(view.filter, words)}: the log has nothing of the kind.
    </EmptyState>
  );
}

function FirstEvent() {
  const team = useTeam();
  const { url } = useSession().installation;
  const example = [
    `curl ${url}/v1/events`,
    `-H 'Authorization: Bearer tp_…'`,
    `-H 'Content-Type: application/json'`,
    `-d '${JSON.stringify({
      timestamp: new Date().toISOString(),
      eventType: 'auth.login.success',
      actor: { id: 'u-1', email: 'ana@example.com' },
    })}'`,
  ];
  return (
    <EmptyState
      title="Waiting for the first event"
      action={team.can('team:admin') && <LinkButton to="/settings/api-keys">Create an API key</LinkButton>}
    >
      <Text size="sm" mb="sm">
        Every sign-in, change and use of a key of {team.name} will be here. Send one with an API key; it appears by
        itself.
      </Text>
      <Code block ta="left">
        {example.join(' \\\n  ')}
      </Code>
      <CopyText value={example.join(' ')} shown="curl …" label="Copy the command" />
    </EmptyState>
  );
}
