import { Link } from '@tanstack/react-router';
import { EmptyState } from '../ui/empty-state.tsx';

export function NotFound() {
  return (
    <EmptyState title="There is no such page" action={<Link to="/settings/audit-logs">Open the audit log</Link>}>
      The address is mistyped, or what it showed was deleted.
    </EmptyState>
  );
}
