import { PageHeader } from '../../ui/page-header.tsx';

export function GeneralPage() {
  return <PageHeader title="General" />;
}
