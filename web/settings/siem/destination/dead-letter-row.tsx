import { Button, Checkbox, Text } from '@mantine/core';
import { JsonView } from '../../../ui/json-view.tsx';
import { Time } from '../../../ui/time.tsx';
import type { DeadLetter } from '../model.ts';
import classes from './dead-letters-tab.module.css';

/** One refused event: why, in whose words, and the event itself. */
export function DeadLetterRow({
  letter,
  isChosen,
  onChoose,
  onSend,
}: {
  letter: DeadLetter;
  isChosen: boolean;
  onChoose?: (isChosen: boolean) => void;
  onSend?: () => void;
}) {
  const { id, eventType, sequence, at, reason, status, answer, redriving, event } = letter;
  return (
    <li className={classes['row']}>
      {onChoose && (
        <Checkbox
          checked={isChosen}
          disabled={redriving}
          aria-label={
            redriving
              ? `${eventType}, number ${sequence}, is being sent again`
              : `Choose ${eventType}, number ${sequence}`
          }
          onChange={({ currentTarget }) => onChoose(currentTarget.checked)}
        />
      )}
      <div className={classes['words']}>
        <div className={classes['head']}>
          <Text size="sm" fw={600}>
            {eventType}
          </Text>
          <Text size="sm" c="dimmed" component="div">
            no. {sequence} · refused <Time at={at} />
          </Text>
        </div>
        <Text size="sm">{reason}</Text>
        {answer && !reason.includes(answer) && (
          <Text size="xs" c="dimmed" ff="monospace">
            {status !== null && `${status} · `}
            {answer}
          </Text>
        )}
        <details>
          <summary className={classes['summary']}>The event</summary>
          <JsonView value={event} label={`Event ${id}`} />
        </details>
      </div>
      {redriving ? (
        <Text size="sm" c="dimmed">
          being sent again
        </Text>
      ) : (
        onSend && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={onSend}
            aria-label={`Send ${eventType}, number ${sequence}, again`}
          >
            Send again
          </Button>
        )
      )}
    </li>
  );
}
