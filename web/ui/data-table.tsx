import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './data-table.module.css';

/** A list of few things as a table; under 640 px each row is a card, its cells labelled. No sideways scrolling. */
export function DataTable({
  label,
  columns,
  children,
}: {
  label: string;
  columns: readonly string[];
  children: ReactNode;
}) {
  // The roles are said again: changed to blocks on phones, the elements would lose them.
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: see above
    <table className={classes['table']} aria-label={label} role="table">
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} scope="col" role="columnheader">
              {column === ACTIONS ? <VisuallyHidden>{column}</VisuallyHidden> : column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}

/** The column of buttons: named for those who hear the table, not for those who see it. */
export const ACTIONS = 'Actions';

export function Row({ children, dimmed = false }: { children: ReactNode; dimmed?: boolean }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see DataTable
    <tr role="row" data-dimmed={dimmed || undefined}>
      {children}
    </tr>
  );
}

/** `label` stands before the cell on a phone; without it the cell needs none, such as the name or the actions. */
export function Cell({ label, children, isEnd = false }: { label?: string; children: ReactNode; isEnd?: boolean }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see DataTable
    <td role="cell" data-label={label} data-end={isEnd || undefined}>
      {children}
    </td>
  );
}
