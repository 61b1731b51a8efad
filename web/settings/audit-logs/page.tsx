import { PageHeader } from '../../ui/page-header.tsx';

export function AuditLogsPage() {
  return <PageHeader title="Audit Logs" />;
}
