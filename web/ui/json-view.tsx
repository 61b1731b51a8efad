import { Button, Code, CopyButton } from '@mantine/core';
import classes from './json-view.module.css';

/** A value as JSON, to read and to copy whole. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const json = JSON.stringify(value, null, 2);
  return (
    <div className={classes['frame']}>
      <CopyButton value={json} timeout={1500}>
        {({ copied, copy }) => (
          <Button
            size="compact-xs"
            variant="default"
            className={classes['copy']!}
            onClick={copy}
            aria-label={`Copy ${label}`}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
      <Code block className={classes['json']!} tabIndex={0} role="region" aria-label={label}>
        {json}
      </Code>
    </div>
  );
}
