import { Button, Group, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useEffect, useState } from 'react';

const SHOWN_MS = 4_000;

/** Whether something was saved a moment ago, and the function that says so. */
export function useSaved(): readonly [boolean, () => void] {
  const [times, setTimes] = useState(0);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (times === 0) return;
    setShown(true);
    const timer = setTimeout(() => setShown(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [times]);
  return [shown, () => setTimes((n) => n + 1)];
}

/** The end of a form that changes something: its button, and beside it for a moment that it did. */
export function SaveRow(props: { action: string; busy: boolean; saved: boolean; words?: string }) {
  return (
    <Group gap="sm">
      <Button type="submit" variant="default" loading={props.busy}>
        {props.action}
      </Button>
      <Saved shown={props.saved}>{props.words}</Saved>
    </Group>
  );
}

/** Stands beside the button that saved; heard by screen readers, since it is there before it says something. */
function Saved({ shown, children = 'Saved' }: { shown: boolean; children: string | undefined }) {
  return (
    <Group gap={4} role="status" wrap="nowrap">
      {shown && (
        <>
          <IconCheck size={15} color="var(--trail-success)" aria-hidden />
          <Text size="sm">{children}</Text>
        </>
      )}
    </Group>
  );
}
