import { ActionIcon, Group, Kbd, Menu, Text } from '@mantine/core';
import { useOs } from '@mantine/hooks';
import { IconHelp } from '@tabler/icons-react';
import { openPalette } from './command-palette.tsx';
import { useSession } from './session.tsx';

export function HelpMenu() {
  const { version, url } = useSession().installation;
  const os = useOs();
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="Help">
          <IconHelp size={17} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={openPalette} rightSection={<Kbd size="xs">{os === 'macos' ? '⌘ K' : 'Ctrl K'}</Kbd>}>
          Go to any page
        </Menu.Item>
        <Menu.Item component="a" href="/openapi.json" target="_blank" rel="noreferrer">
          API description (OpenAPI)
        </Menu.Item>
        <Menu.Divider />
        <Group px="sm" py={4} gap={4} justify="space-between" wrap="nowrap">
          <Text size="xs" c="dimmed">
            Trailproof {version}
          </Text>
          <Text size="xs" c="dimmed" truncate title={url}>
            {URL.parse(url)?.host}
          </Text>
        </Group>
      </Menu.Dropdown>
    </Menu>
  );
}
