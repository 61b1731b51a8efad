import type { Writable } from 'node:stream';

/** What a command writes to: results to `out`, everything else (progress, hints, errors) to `err`. */
export interface Terminal {
  readonly out: Writable;
  readonly err: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

/** A plain table, columns as wide as their content; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => String(row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          typeof cell === 'number' ? String(cell).padStart(widths[i]!) : String(cell).padEnd(widths[i]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A progress line that redraws itself on a terminal and stays silent elsewhere (logs, pipes, CI). */
export function progress(terminal: Terminal): {
  show(done: number, total: number | null, text: string): void;
  end(): void;
} {
  let shown = false;
  let last = 0;
  return {
    show: (done, total, text) => {
      const now = performance.now();
      if (!terminal.err.isTTY || (now - last < 80 && done !== total)) return;
      last = now;
      const share = total ? Math.min(done / total, 1) : null;
      const bar =
        share === null
          ? ''
          : `${'█'.repeat(Math.round(share * 24)).padEnd(24, '░')} ${String(Math.round(share * 100)).padStart(3)} %  `;
      terminal.err.write(`\r\x1b[K${`${bar}${text}`.slice(0, (terminal.err.columns ?? 100) - 1)}`);
      shown = true;
    },
    end: () => {
      if (shown) terminal.err.write('\r\x1b[K');
      shown = false;
    },
  };
}

/** 1,284 */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}
