import { Alert, Group } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { PageLink } from '../../ui/link.tsx';
import { agoOf, local, useNow, utc } from '../../ui/time.tsx';
import { duration } from '../../ui/words.ts';
import { PAGE, useAddress } from './address.ts';
import { leaves } from './changes.ts';
import classes from './event-drawer.module.css';
import { type Filter, type ListName, NO_FILTER, searchOf } from './filter.ts';
import { marksOf } from './marks.ts';
import { agentInWords } from './user-agent.ts';

/** When, who, target, where, and what else the producer said. */
export function EventFacts({ event }: { event: StoredEvent }) {
  const { actor, target, context, metadata } = event;
  const marks = marksOf(event);
  return (
    <>
      {marks.length > 0 && (
        <Alert color="yellow" variant="light" title="Noticed on arrival">
          {marks.map((mark) => (
            <div key={mark}>{mark}</div>
          ))}
        </Alert>
      )}
      <When event={event} />
      <Facts
        title="Who"
        more={actor && <More name="actor" value={actor.id ?? actor.email ?? actor.name} label="More by this actor" />}
      >
        {actor ? (
          fields(actor, { email: 'E-mail', name: 'Name', type: 'Type', id: 'Id' })
        ) : (
          <Fact title="Actor">Not given</Fact>
        )}
      </Facts>
      {target && (
        <Facts
          title="Target"
          more={<More name="target" value={target.id ?? target.name} label="More on this target" />}
        >
          {fields(target, { name: 'Name', type: 'Type', id: 'Id' })}
        </Facts>
      )}
      <Facts title="Where" more={<More name="ip" value={context.ipAddress} label="More from this IP" />}>
        {fields({ ipAddress: context.ipAddress }, { ipAddress: 'IP address' })}
        {context.userAgent !== undefined && (
          <Fact title="Client">
            {agentInWords(context.userAgent) ?? 'Unknown client'}
            <div className={classes['value']}>{context.userAgent}</div>
          </Fact>
        )}
        {fields(context, { sessionId: 'Session', requestId: 'Request' })}
      </Facts>
      {metadata && Object.keys(metadata).length > 0 && (
        <Facts title="Metadata">
          {[...leaves(metadata)].map(([path, value]) => (
            <Fact key={path} title={path}>
              <span className={classes['value']}>{value}</span>
            </Fact>
          ))}
        </Facts>
      )}
      <Facts title="Event">
        <Fact title="Id">
          <CopyText value={event.id} />
        </Fact>
        <Fact title="Sequence">{event.sequence}</Fact>
      </Facts>
    </>
  );
}

function When({ event: { timestamp, receivedAt } }: { event: StoredEvent }) {
  const now = useNow();
  const delay = (Date.parse(receivedAt) - Date.parse(timestamp)) / 1000;
  return (
    <Facts title="When">
      <Fact title="UTC">
        <time dateTime={timestamp}>{utc(timestamp)}</time>, {agoOf(timestamp, now)}
      </Fact>
      <Fact title="Local">{local(timestamp)}</Fact>
      <Fact title="Received">
        {utc(receivedAt)}
        {delay >= 1 && `, ${duration(delay)} later`}
      </Fact>
    </Facts>
  );
}

function Facts({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes['section']}>
      <h3 id={id}>{title}</h3>
      <dl className={classes['facts']}>{children}</dl>
      {more}
    </section>
  );
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Those of the fields that are given, to copy. */
function fields<K extends string>(
  values: { readonly [N in NoInfer<K>]?: string | undefined },
  titles: Readonly<Record<K, string>>,
) {
  return (Object.keys(titles) as K[]).map((name) => {
    const value = values[name];
    return value === undefined ? null : (
      <Fact key={name} title={titles[name]}>
        <CopyText value={value} />
      </Fact>
    );
  });
}

/** The same range, and nothing else but this. */
function More({ name, value, label }: { name: ListName; value: string | undefined; label: string }) {
  const { filter } = useAddress();
  if (value === undefined) return null;
  const wanted: Filter = { ...NO_FILTER, range: filter.range, [name]: [value] };
  return (
    <Group className={classes['more']!}>
      <PageLink size="sm" to={PAGE} search={searchOf(wanted)}>
        {label}
      </PageLink>
    </Group>
  );
}
