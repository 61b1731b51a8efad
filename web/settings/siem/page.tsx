import { PageHeader } from '../../ui/page-header.tsx';

export function SiemPage() {
  return <PageHeader title="SIEM" />;
}
