import { PageHeader } from '../../ui/page-header.tsx';

export function DestinationPage() {
  return <PageHeader title="Destination" />;
}
