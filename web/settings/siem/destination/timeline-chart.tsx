import { Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useState } from 'react';
import { count, duration, STATES } from '../../../ui/words.ts';
import { clock } from '../state-line.ts';
import { type Band, type Column, niceMax, RANGES, type RangeName, summaryOf } from './timeline.ts';
import classes from './timeline-chart.module.css';

/** Heights in pixels, from the top: strip of states, bars, marks of failed attempts, lag, times. */
const STRIP = 6;
const BARS = { top: 14, height: 108 };
const MARKS = BARS.top + BARS.height + 4;
const LAG = { top: MARKS + 16, height: 34 };
const HEIGHT = LAG.top + LAG.height + 20;

/** Deliveries over time: bars of events delivered, marks of attempts that failed, how long events had waited, and the states. */
export function TimelineChart({ columns, bands, range, now }: ChartProps) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<number | null>(null);
  const begin = columns[0]!.at;
  const span = columns.length * RANGES[range].stepMs;
  const x = (at: number) => ((at - begin) / span) * width;
  const point = ({ clientX, currentTarget }: PointerEvent): void => {
    const at = (clientX - currentTarget.getBoundingClientRect().left) / width;
    setPointed(Math.min(columns.length - 1, Math.max(0, Math.floor(at * columns.length))));
  };
  const column = pointed === null ? undefined : columns[pointed];
  return (
    <figure className={classes['figure']}>
      <div ref={ref} className={classes['plot']} onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={summaryOf(columns, bands, range)}>
            <States bands={bands} x={x} />
            <Bars columns={columns} width={width} />
            <Lag columns={columns} width={width} />
            <Times columns={columns} width={width} range={range} />
            {column && (
              <line
                className={classes['pointer']}
                x1={x(column.at) + width / columns.length / 2}
                x2={x(column.at) + width / columns.length / 2}
                y1={0}
                y2={LAG.top + LAG.height}
              />
            )}
          </svg>
        )}
        {column && (
          <div
            className={classes['tip']}
            style={x(column.at) > width / 2 ? { right: width - x(column.at) + 8 } : { left: x(column.at) + 16 }}
          >
            <Reading column={column} band={bandAt(bands, column.at + RANGES[range].stepMs / 2)} now={now} />
          </div>
        )}
      </div>
      <figcaption className={classes['legend']}>
        <span>
          <i className={classes['bar-key']} /> delivered
        </span>
        <span>
          <i className={classes['mark-key']}>✕</i> attempts failed
        </span>
        <span>
          <i className={classes['lag-key']} /> longest wait
        </span>
      </figcaption>
    </figure>
  );
}

interface ChartProps {
  readonly columns: readonly Column[];
  readonly bands: readonly Band[];
  readonly range: RangeName;
  readonly now: number;
}

function States({ bands, x }: { bands: readonly Band[]; x: (at: number) => number }) {
  return bands.map(({ from, to, state }) => {
    const shape = { x: x(from), width: Math.max(1, x(to) - x(from)), 'data-mood': STATES[state].mood };
    return (
      <g key={from} className={classes['band']}>
        <rect {...shape} y={0} height={STRIP} />
        <rect {...shape} y={BARS.top} height={LAG.top + LAG.height - BARS.top} className={classes['tint']} />
      </g>
    );
  });
}

function Bars({ columns, width }: { columns: readonly Column[]; width: number }) {
  const step = width / columns.length;
  const max = niceMax(Math.max(...columns.map(({ delivered }) => delivered)));
  const bottom = BARS.top + BARS.height;
  return (
    <>
      <line className={classes['grid']} x1={0} x2={width} y1={BARS.top} y2={BARS.top} />
      <line className={classes['grid']} x1={0} x2={width} y1={bottom} y2={bottom} />
      {columns.map(({ at, delivered, failed }, i) => {
        const height = delivered === 0 ? 0 : Math.max(1.5, (delivered / max) * BARS.height);
        const middle = (i + 0.5) * step;
        return (
          <g key={at}>
            {height > 0 && (
              <rect
                className={classes['bar']}
                x={i * step + 0.5}
                y={bottom - height}
                width={Math.max(1, step - 1)}
                height={height}
              />
            )}
            {failed > 0 && <path className={classes['failed']} d={`M${middle - 2.5} ${MARKS}l5 5m0 -5l-5 5`} />}
          </g>
        );
      })}
      <text className={classes['label']} x={0} y={BARS.top + 11}>
        {count(max, 'event')}
      </text>
    </>
  );
}

function Lag({ columns, width }: { columns: readonly Column[]; width: number }) {
  const step = width / columns.length;
  const max = Math.max(1, ...columns.map(({ lagSeconds }) => lagSeconds ?? 0));
  const bottom = LAG.top + LAG.height;
  // A line breaks where nothing was tried.
  const path = columns
    .map(({ lagSeconds }, i) => {
      if (lagSeconds === null) return '';
      const isFirst = columns[i - 1]?.lagSeconds == null;
      // A lone point is a line of no length, seen by its round ends.
      const y = bottom - (lagSeconds / max) * (LAG.height - 2);
      return `${isFirst ? 'M' : 'L'}${(i + 0.5) * step} ${y}${isFirst ? 'h0.01' : ''}`;
    })
    .join('');
  return (
    <>
      <line className={classes['grid']} x1={0} x2={width} y1={bottom} y2={bottom} />
      <path className={classes['lag']} d={path} />
      <text className={classes['label']} x={0} y={LAG.top + 4}>
        {`wait up to ${duration(max)}`}
      </text>
    </>
  );
}

function Times({ columns, width, range }: { columns: readonly Column[]; width: number; range: RangeName }) {
  const marks = width < 480 ? 2 : 4;
  return Array.from({ length: marks + 1 }, (_, i) => {
    const { at } = columns[Math.min(columns.length - 1, Math.round((i * columns.length) / marks))]!;
    const stamp = new Date(at).toISOString();
    return (
      <text
        key={at}
        className={classes['label']}
        x={(i * width) / marks}
        y={HEIGHT - 4}
        textAnchor={i === 0 ? 'start' : i === marks ? 'end' : 'middle'}
      >
        {i === marks ? 'now' : RANGES[range].hours > 24 ? stamp.slice(5, 10) : `${stamp.slice(11, 16)}`}
      </text>
    );
  });
}

function Reading({ column, band, now }: { column: Column; band: Band | undefined; now: number }) {
  return (
    <>
      <Text size="xs" c="dimmed">
        from {clock(new Date(column.at).toISOString(), now)}
      </Text>
      <Text size="xs" fw={600}>
        {count(column.delivered)} delivered
      </Text>
      {column.failed > 0 && <Text size="xs">{count(column.failed, 'attempt')} failed</Text>}
      {column.lagSeconds !== null && <Text size="xs">waited up to {duration(column.lagSeconds)}</Text>}
      {band && (
        <Text size="xs">
          <span aria-hidden>{STATES[band.state].mark}</span> {STATES[band.state].word}
        </Text>
      )}
    </>
  );
}

function bandAt(bands: readonly Band[], at: number): Band | undefined {
  return bands.find(({ from, to }) => at >= from && at < to);
}
