import { ActionIcon, Code, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useSession } from '../../app/session.tsx';
import classes from './example.module.css';

/** A call that works when pasted into a terminal: an event sent, or the newest read. */
export function Example({ apiKey = 'tp_…', scopes }: { apiKey?: string; scopes: readonly string[] }) {
  const { url } = useSession().installation;
  const command = scopes.includes('events:write')
    ? `curl ${url}/v1/events \\
  -H 'Authorization: Bearer ${apiKey}' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "timestamp": "${new Date().toISOString()}",
    "eventType": "auth.login.success",
    "actor": { "id": "u-1", "email": "ana@example.com" },
    "context": { "ipAddress": "203.0.113.7" }
  }'`
    : scopes.includes('events:read')
      ? `curl '${url}/v1/events?limit=10' \\
  -H 'Authorization: Bearer ${apiKey}'`
      : `curl ${url}/v1/destinations \\
  -H 'Authorization: Bearer ${apiKey}'`;
  return (
    <div className={classes['example']}>
      <Code block className={classes['code']!} tabIndex={0} role="region" aria-label="Example">
        {command}
      </Code>
      <CopyButton value={command} timeout={1500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy the example'}>
            <ActionIcon
              variant="default"
              size="sm"
              className={classes['copy']!}
              onClick={copy}
              aria-label={copied ? 'Copied' : 'Copy the example'}
            >
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
