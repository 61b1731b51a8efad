import { PageHeader } from '../../ui/page-header.tsx';

export function NewDestinationPage() {
  return <PageHeader title="New destination" />;
}
