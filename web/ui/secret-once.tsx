import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** A secret on its one appearance, with its way into the clipboard. It is gone with the page. */
export function SecretOnce({ value, what, children }: { value: string; what: string; children?: ReactNode }) {
  return (
    <Stack gap="xs">
      <Alert color="yellow" variant="light" py="xs">
        <Text size="sm">Copy {what} now: it is not shown again.</Text>
      </Alert>
      <Group gap="xs" wrap="nowrap" align="stretch" role="group" aria-label={what}>
        <Code style={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere', alignContent: 'center' }} fz="sm" px="sm" py={7}>
          {value}
        </Code>
        <CopyButton value={value} timeout={2000}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              onClick={copy}
              data-autofocus
              style={{ flexShrink: 0, height: 'auto' }}
              leftSection={copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
              aria-live="polite"
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      {children}
    </Stack>
  );
}
