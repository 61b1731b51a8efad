import { EmptyState } from '../ui/empty-state.tsx';
import { LinkButton } from '../ui/link.tsx';

export function NotFound() {
  return (
    <EmptyState isPage title="There is no such page" action={<LinkButton to="/">Open the console</LinkButton>}>
      The address is mistyped, or what it showed was deleted.
    </EmptyState>
  );
}
