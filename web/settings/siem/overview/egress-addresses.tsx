import { Button, CopyButton, Group, Stack, Text, Title } from '@mantine/core';
import { useSession } from '../../../app/session.tsx';
import { CopyText } from '../../../ui/copy-text.tsx';

/** From where we send: what the SIEM's firewall must let in. */
export function EgressAddresses() {
  const { egressAddresses } = useSession().installation;
  return (
    <Stack gap={6} component="section" aria-labelledby="egress">
      <Title order={2} id="egress">
        Addresses to allow in your firewall
      </Title>
      {egressAddresses.length === 0 ? (
        <Text size="sm" c="dimmed" maw={640}>
          Events leave from this service’s own address. Whoever runs it has not named the addresses here yet (
          <code>EGRESS_ADDRESSES</code>): ask them if your SIEM is behind a firewall.
        </Text>
      ) : (
        <>
          <Text size="sm" c="dimmed" maw={640}>
            Events come from {egressAddresses.length === 1 ? 'this address' : 'these addresses'}. If your SIEM is behind
            a firewall, let {egressAddresses.length === 1 ? 'it' : 'them'} in on the port of its endpoint URL.
          </Text>
          <Group gap="md">
            {egressAddresses.map((address) => (
              <CopyText key={address} value={address} label={`Copy ${address}`} />
            ))}
            {egressAddresses.length > 1 && (
              <CopyButton value={egressAddresses.join('\n')} timeout={1500}>
                {({ copied, copy }) => (
                  <Button size="compact-sm" variant="subtle" onClick={copy}>
                    {copied ? 'Copied' : 'Copy all'}
                  </Button>
                )}
              </CopyButton>
            )}
          </Group>
        </>
      )}
    </Stack>
  );
}
