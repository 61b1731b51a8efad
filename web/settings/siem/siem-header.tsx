import type { ReactNode } from 'react';
import { PageLink } from '../../ui/link.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { ProviderMark } from './provider-mark.tsx';
import classes from './siem-header.module.css';

/** The head of a page about one SIEM: the way back, its initials, its name. */
export function SiemHeader({
  kind,
  title,
  lead,
  actions,
}: {
  kind: string;
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <>
      <PageLink to="/settings/siem" size="sm" className={classes['back']!}>
        ← SIEM
      </PageLink>
      <div className={classes['head']}>
        <ProviderMark kind={kind} />
        <div className={classes['words']}>
          <PageHeader title={title} lead={lead} actions={actions} />
        </div>
      </div>
    </>
  );
}
