import { Alert } from '@mantine/core';
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

/* The parts of an event, each with its title. */

export function Marks({ event }: { event: StoredEvent }) {
  const marks = marksOf(event);
  if (marks.length === 0) return null;
  return (
    <Alert color="yellow" variant="light" title="Noticed on arrival">
      {marks.map((mark) => (
        <div key={mark}>{mark}</div>
      ))}
    </Alert>
  );
}

export function When({ event: { timestamp, receivedAt } }: { event: StoredEvent }) {
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

export function Who({ event: { actor } }: { event: StoredEvent }) {
  return (
    <Facts
      title="Who"
      more={<More name="actor" value={actor?.id ?? actor?.email ?? actor?.name} label="More by this actor" />}
    >
      {!actor && <Fact title="Actor">The producer named none</Fact>}
      <Named name={actor?.name} type={actor?.type} />
      <Copied title="E-mail" value={actor?.email} />
      <Copied title="Id" value={actor?.id} />
    </Facts>
  );
}

export function Target({ event: { target } }: { event: StoredEvent }) {
  if (!target) return null;
  return (
    <Facts title="Target" more={<More name="target" value={target.id ?? target.name} label="More on this target" />}>
      <Named name={target.name} type={target.type} />
      <Copied title="Id" value={target.id} />
    </Facts>
  );
}

export function Where({ event: { context } }: { event: StoredEvent }) {
  const { ipAddress, userAgent, sessionId, requestId } = context;
  if (!ipAddress && !userAgent && !sessionId && !requestId) return null;
  return (
    <Facts title="Where" more={<More name="ip" value={ipAddress} label="More from this IP" />}>
      <Copied title="IP address" value={ipAddress} />
      {userAgent !== undefined && (
        <Fact title="Client">
          {agentInWords(userAgent) ?? 'Not a client we know'}
          <div className={classes['raw']}>{userAgent}</div>
        </Fact>
      )}
      <Copied title="Session" value={sessionId} />
      <Copied title="Request" value={requestId} />
    </Facts>
  );
}

export function Metadata({ event: { metadata = {} } }: { event: StoredEvent }) {
  if (Object.keys(metadata).length === 0) return null;
  return (
    <Facts title="Metadata">
      {[...leaves(metadata)].map(([path, value]) => (
        <Fact key={path} title={path}>
          <span className={classes['value']}>{value}</span>
        </Fact>
      ))}
    </Facts>
  );
}

export function Identity({ event: { id, sequence } }: { event: StoredEvent }) {
  return (
    <Facts title="In the log">
      <Copied title="Id" value={id} />
      <Fact title="Sequence">{sequence}</Fact>
    </Facts>
  );
}

function Facts({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes['section']}>
      <h3 id={id}>
        {title}
        {more}
      </h3>
      <dl className={classes['facts']}>{children}</dl>
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

function Copied({ title, value }: { title: string; value: string | undefined }) {
  if (value === undefined) return null;
  return (
    <Fact title={title}>
      <CopyText value={value} label={`Copy ${title}`} />
    </Fact>
  );
}

function Named({ name, type }: { name: string | undefined; type: string | undefined }) {
  if (name === undefined && type === undefined) return null;
  return (
    <Fact title={name === undefined ? 'Type' : 'Name'}>
      {name ?? type}
      {name !== undefined && type !== undefined && <span className={classes['quiet']}> · {type}</span>}
    </Fact>
  );
}

/** The same range, and nothing else but this. */
function More({ name, value, label }: { name: ListName; value: string | undefined; label: string }) {
  const { filter } = useAddress();
  if (value === undefined) return null;
  const wanted: Filter = { ...NO_FILTER, range: filter.range, [name]: [value] };
  return (
    <PageLink className={classes['more']} to={PAGE} search={searchOf(wanted)}>
      {label}
    </PageLink>
  );
}
