import { differences } from './changes.ts';
import classes from './event-drawer.module.css';

const MARKS = { added: '+', removed: '−', changed: '≠', same: '' } as const;

/** Before and after, side by side; a mark and a word say what colour says. */
export function EventChanges({ changes }: { changes: Readonly<Record<string, unknown>> }) {
  const all = differences(changes);
  if (all.length === 0) return null;
  return (
    <section className={classes['section']} aria-labelledby="event-changes">
      <h3 id="event-changes">What changed</h3>
      <table className={classes['changes']}>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ path, kind, before, after }) => (
            <tr key={path} data-kind={kind}>
              <th scope="row">
                <span title={kind}>
                  <span aria-hidden>{MARKS[kind]} </span>
                  {path}
                </span>
              </th>
              <td className={kind === 'changed' || kind === 'removed' ? classes['before'] : undefined}>
                <Value value={before} />
              </td>
              <td className={kind === 'changed' || kind === 'added' ? classes['after'] : undefined}>
                <Value value={after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Value({ value }: { value: string | undefined }) {
  if (value === undefined) return <i>not there</i>;
  return <span className={classes['value']}>{value === '' ? '""' : value}</span>;
}
