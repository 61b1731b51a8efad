import { useEffect, useRef, useState } from 'react';
import { type Query, send } from '../../api/api.ts';
import { rowCounter } from './exported-rows.ts';

export type Progress =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly rows: number; readonly bytes: number }
  | { readonly state: 'done'; readonly rows: number; readonly bytes: number; readonly name: string }
  | { readonly state: 'failed'; readonly error: Error };

const SHOW_MS = 150;

/** Fetches an export and saves it as a file. It is gathered by the browser, outside of the page's memory, and once. */
export function useExport() {
  const [progress, setProgress] = useState<Progress>({ state: 'idle' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (query: Query, format: 'csv' | 'ndjson'): Promise<void> => {
    const controller = new AbortController();
    running.current = controller;
    const taken = { rows: 0, bytes: 0 };
    setProgress({ state: 'running', ...taken });
    try {
      const response = await send('GET', '/v1/events/export', { query, signal: controller.signal });
      const countRows = rowCounter(format);
      let shownAt = 0;
      const counting = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, out) {
          taken.rows = countRows(chunk);
          taken.bytes += chunk.byteLength;
          out.enqueue(chunk);
          if (performance.now() - shownAt < SHOW_MS) return;
          shownAt = performance.now();
          setProgress({ state: 'running', ...taken });
        },
      });
      const file = await new Response(response.body!.pipeThrough(counting)).blob();
      const name = fileName(response) ?? `audit-log.${format}`;
      save(file, name);
      setProgress({ state: 'done', ...taken, name });
    } catch (error) {
      if (controller.signal.aborted) return setProgress({ state: 'idle' });
      setProgress({ state: 'failed', error: taken.bytes === 0 ? asError(error) : broken(taken.rows) });
    }
  };
  return { progress, start, cancel: () => running.current?.abort() };
}

function broken(rows: number): Error {
  return new Error(
    `The connection broke after ${rows} events, so nothing was saved. Export again, or choose a shorter time.`,
  );
}
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function fileName(response: Response): string | undefined {
  return /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it over by the next turn.
  setTimeout(() => URL.revokeObjectURL(url));
}
