import { Button, Code, CopyButton, Group } from '@mantine/core';
import classes from './event-drawer.module.css';
import { prettyJson } from './pretty-json.ts';

/** The stored JSON, token by token; the copy is the stored text itself. */
export function EventJson({ text }: { text: string }) {
  return (
    <section className={classes['section']} aria-labelledby="event-json">
      <Group justify="space-between" mb={4}>
        <h3 id="event-json">JSON, as stored</h3>
        <CopyButton value={text} timeout={1500}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Code block className={classes['json']!} tabIndex={0} role="region" aria-label="Stored JSON">
        {prettyJson(text)}
      </Code>
    </section>
  );
}
