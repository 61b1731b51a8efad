import { Badge } from '@mantine/core';
import { MOOD_COLORS, STATES, type State } from './words.ts';

/** A destination's state in a word, with its mark. */
export function StateBadge({ state, siem }: { state: State; siem?: string }) {
  const { word, mark, mood } = STATES[state];
  return (
    <Badge
      variant="light"
      color={MOOD_COLORS[mood]}
      radius="sm"
      tt="none"
      fw={500}
      leftSection={<span aria-hidden>{mark}</span>}
    >
      {state === 'throttled' && siem ? `${word} by ${siem}` : word}
    </Badge>
  );
}
