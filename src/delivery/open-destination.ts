import type {
  Destination,
  DestinationContext,
  DestinationKind,
  DestinationLimits,
} from '../destinations/destination.ts';
import { joinSecrets } from '../destinations/settings.ts';
import type { Secret, SecretBox } from '../secrets.ts';
import { DAMAGED_KIND, type StoredDestination } from '../store/destinations.ts';
import type { Delivery } from './delivery.ts';

export interface OpenDestination {
  readonly destination: Destination;
  readonly limits: DestinationLimits;
}

/** Owner under which a destination's secret setting is sealed: bound in, so that it opens for no other row. */
export function secretOwner(destinationId: string, setting: string): string {
  return `destination:${destinationId}:${setting}`;
}

/** Seals anew, under the present master key, what was sealed under an earlier one. Returns how many destinations changed. */
export async function resealAll(delivery: Pick<Delivery, 'list' | 'update'>, secretBox: SecretBox): Promise<number> {
  let changed = 0;
  for (const { id, sealed, updatedAt } of await delivery.list()) {
    if (Object.values(sealed).every((text) => secretBox.isCurrent(text))) continue;
    const anew = Object.entries(sealed).map(([name, text]) => {
      const owner = secretOwner(id, name);
      return [name, secretBox.seal(secretBox.open(text, owner), owner)] as const;
    });
    await delivery.update(id, { sealed: Object.fromEntries(anew), updatedAt }, []);
    changed += 1;
  }
  return changed;
}

/**
 * Opens stored destinations: unseals the secrets and hands the typed settings to the kind. Throws with a plain message
 * when the kind is unknown or a secret cannot be unsealed (another master key): a person must act.
 */
export function destinationOpener(
  options: Omit<DestinationContext, 'configuredAt'> & {
    readonly kinds: readonly DestinationKind[];
    readonly secretBox: SecretBox;
  },
): (stored: StoredDestination) => OpenDestination {
  const { kinds, openOutbound, secretBox, clock, brand } = options;
  return (stored) => {
    if (stored.kind === DAMAGED_KIND)
      throw new Error(
        'what is stored of this destination is damaged: delete it and create it anew, or restore a backup',
      );
    const kind = kinds.find((k) => k.kind === stored.kind);
    if (!kind) throw new Error(`this version does not know the destination kind "${stored.kind}"`);
    const secrets: Record<string, Secret> = {};
    for (const [name, sealed] of Object.entries(stored.sealed))
      secrets[name] = secretBox.open(sealed, secretOwner(stored.id, name));
    const settings = joinSecrets(kind, stored.settings, secrets);
    return {
      destination: kind.open(settings, { openOutbound, clock, brand, configuredAt: stored.updatedAt }),
      limits: typeof kind.limits === 'function' ? kind.limits(settings) : kind.limits,
    };
  };
}
