import { PageHeader } from '../ui/page-header.tsx';

export function JoinPage() {
  return <PageHeader title="Join" />;
}
