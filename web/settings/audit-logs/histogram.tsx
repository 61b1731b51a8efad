import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useId, useRef, useState } from 'react';
import { count, duration } from '../../ui/words.ts';
import { type Bars, type Brush, barAt, brushedRange, moved } from './brush.ts';
import { moment, rangeInWords } from './filter-words.ts';
import classes from './histogram.module.css';

const HEIGHT = 64;
/** A failure among a thousand successes is still seen. */
const LEAST_PX = 2;

/** Bars over time, failures on top. Drag, or arrows with Shift and Enter, to choose a range. */
export function Histogram(props: {
  bars: Bars;
  summary: string;
  onRange: (range: { readonly from: string; readonly to: string }) => void;
}) {
  const { bars: shown, summary, onRange } = props;
  const { bars, bucketMs, most } = shown;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [brush, setBrush] = useState<Brush | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const dragging = useRef(false);
  const id = useId();
  const step = bars.length > 0 ? width / bars.length : 0;
  const gap = step > 5 ? 2 : step > 3 ? 1 : 0;

  const apply = (chosen: Brush) => {
    setBrush(null);
    onRange(brushedRange(shown, chosen));
  };
  const barUnder = ({ clientX, currentTarget }: PointerEvent) => {
    const { left } = currentTarget.getBoundingClientRect();
    return barAt((clientX - left) / width, bars.length);
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || bars.length === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    dragging.current = true;
    setBrush({ anchor: barUnder(event), head: barUnder(event) });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (bars.length === 0) return;
    const head = barUnder(event);
    setPointed(head);
    if (dragging.current) setBrush((was) => ({ anchor: was?.anchor ?? head, head }));
  };
  const onPointerUp = () => {
    if (dragging.current && brush) apply(brush);
    dragging.current = false;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(brush, event.key, event.shiftKey, bars.length);
    if (next) setBrush(next);
    else if (event.key === 'Enter' && brush) apply(brush);
    else if (event.key === 'Escape' && brush) setBrush(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const told = brush?.head ?? pointed;
  const [low, high] = brush ? [Math.min(brush.anchor, brush.head), Math.max(brush.anchor, brush.head)] : [-1, -1];
  const y = (n: number) => (n === 0 ? 0 : Math.max(LEAST_PX, (n / most) * HEIGHT));
  return (
    <div className={classes['frame']}>
      <div
        ref={ref}
        role="listbox"
        tabIndex={0}
        className={classes['plot']}
        aria-label={`${summary}. Arrow keys choose a bar, Shift extends, Enter shows only that time`}
        aria-multiselectable
        aria-orientation="horizontal"
        aria-activedescendant={brush ? `${id}-${brush.head}` : undefined}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => {
          dragging.current = false;
          setBrush(null);
        }}
        onPointerLeave={() => setPointed(null)}
        onKeyDown={onKeyDown}
        onBlur={() => setBrush(null)}
      >
        <svg width="100%" height={HEIGHT} role="presentation">
          {brush && (
            <rect className={classes['brush']} x={low * step} width={(high - low + 1) * step} height={HEIGHT} />
          )}
          {bars.map(({ at, success, failure }, i) => {
            const [below, above] = [y(success), y(failure)];
            const scale = Math.min(1, HEIGHT / Math.max(1, below + above));
            return (
              <g
                key={at}
                id={`${id}-${i}`}
                role="option"
                aria-selected={i >= low && i <= high}
                aria-label={words(i)}
                data-pointed={i === told || undefined}
                className={classes['bar']}
              >
                <rect className={classes['column']} x={i * step} width={step} height={HEIGHT} />
                <rect
                  className={classes['success']}
                  x={i * step}
                  width={Math.max(0.5, step - gap)}
                  y={HEIGHT - below * scale}
                  height={below * scale}
                />
                <rect
                  className={classes['failure']}
                  x={i * step}
                  width={Math.max(0.5, step - gap)}
                  y={HEIGHT - (below + above) * scale}
                  height={above * scale}
                />
              </g>
            );
          })}
        </svg>
        {told !== null && bars[told] && (
          <div
            className={classes['told']}
            style={{ left: `${((told + 0.5) / bars.length) * 100}%` }}
            data-end={told > bars.length / 2 || undefined}
            aria-hidden
          >
            {brush && brush.anchor !== brush.head
              ? `${rangeInWords(brushedRange(shown, brush))}: ${sumWords(low, high)}`
              : words(told)}
          </div>
        )}
      </div>
      <div className={classes['axis']} aria-hidden>
        <span>{bars[0] && moment(new Date(bars[0].at).toISOString())}</span>
        <span className={classes['length']}>{duration(bucketMs / 1000)} a bar</span>
        <span>{bars.length > 0 && moment(new Date(bars.at(-1)!.at + bucketMs).toISOString())} UTC</span>
      </div>
    </div>
  );

  function words(i: number): string {
    return `${rangeInWords(brushedRange(shown, { anchor: i, head: i }))}: ${sumWords(i, i)}`;
  }
  function sumWords(from: number, to: number): string {
    const chosen = bars.slice(from, to + 1);
    const failures = chosen.reduce((sum, { failure }) => sum + failure, 0);
    const all = chosen.reduce((sum, { success }) => sum + success, failures);
    return failures === 0 ? count(all, 'event') : `${count(all, 'event')}, ${count(failures, 'failure')}`;
  }
}
