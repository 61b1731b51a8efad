import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Indicator,
  Kbd,
  NavLink,
  ScrollArea,
  Text,
  UnstyledButton,
} from '@mantine/core';
import { useDisclosure, useOs } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { Link, Outlet, useLocation, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useAttention } from '../settings/siem/attention.ts';
import { ForwardingBanner } from '../settings/siem/forwarding-banner.tsx';
import { AccountMenu } from './account-menu.tsx';
import { CommandPalette, openPalette } from './command-palette.tsx';
import { HelpMenu } from './help-menu.tsx';
import { Mark } from './mark.tsx';
import { PAGES, SANDBOX } from './navigation.ts';
import { NoTeam } from './no-team.tsx';
import { SchemeMenu } from './scheme-menu.tsx';
import { oneOf } from './search.ts';
import { rememberTeam, TeamProvider, teamOf, useSession, useTeam } from './session.tsx';
import classes from './shell.module.css';
import { TeamMenu } from './team-menu.tsx';

/** The frame of every page for people with a session. */
export function Shell() {
  const session = useSession();
  const asked = oneOf(useSearch({ strict: false }).team);
  if (!session.user) return <SessionEnded />;
  const team = teamOf(session, asked);
  return team ? (
    <TeamProvider value={team}>
      <Frame />
    </TeamProvider>
  ) : (
    <NoTeam asked={asked} />
  );
}

/** To the sign-in, and back here from there. Once: on the way the address is the sign-in's already. */
function SessionEnded() {
  const [next] = useState(useLocation().href);
  const navigate = useNavigate();
  useEffect(
    () => void navigate({ to: '/sign-in', search: { next, reason: 'ended' }, replace: true }),
    [navigate, next],
  );
  return null;
}

function Frame() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const team = useTeam();
  const { pathname } = useLocation();
  const { hasSandbox } = useSession().installation;
  const attention = useAttention();
  const os = useOs();
  useEffect(() => rememberTeam(team.id), [team.id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes when the page changes
  useEffect(close, [pathname]);
  const pages = [...PAGES, ...(hasSandbox ? [SANDBOX] : [])].filter(({ permission }) => team.can(permission));

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a className={classes['skip']} href="#page">
        Skip to the page
      </a>
      <AppShell.Header className={classes['header']!}>
        <Group gap="xs" wrap="nowrap">
          <Burger
            opened={opened}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={opened ? 'Close navigation' : 'Open navigation'}
          />
          <Mark />
          <TeamMenu />
        </Group>
        <Group gap={4} wrap="nowrap">
          <UnstyledButton className={classes['search']!} onClick={openPalette} visibleFrom="sm">
            <IconSearch size={14} aria-hidden />
            <Text span size="sm">
              Go to
            </Text>
            <Kbd size="xs">{os === 'macos' ? '⌘ K' : 'Ctrl K'}</Kbd>
          </UnstyledButton>
          <ActionIcon variant="subtle" color="gray" onClick={openPalette} hiddenFrom="sm" aria-label="Go to">
            <IconSearch size={17} stroke={1.6} />
          </ActionIcon>
          <HelpMenu />
          <SchemeMenu />
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Settings">
        <ScrollArea>
          {pages.map(({ to, title, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={title}
              active={pathname.startsWith(to)}
              className={classes['page']!}
              {...(pathname.startsWith(to) && { 'aria-current': 'page' as const })}
              leftSection={<Icon size={16} stroke={1.6} aria-hidden />}
              rightSection={
                to === '/settings/siem' && attention > 0 ? (
                  <Indicator inline color="red" position="middle-start" size={7} offset={-6}>
                    <Text size="xs" aria-label={`${attention} need attention`}>
                      {attention}
                    </Text>
                  </Indicator>
                ) : null
              }
            />
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} className={classes['main']!}>
        <ForwardingBanner />
        <Outlet />
      </AppShell.Main>
      <CommandPalette pages={pages} />
    </AppShell>
  );
}
