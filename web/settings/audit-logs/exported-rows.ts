/** Counts the rows of an export as its bytes pass by: lines that do not end within a quoted cell of CSV. */
export function rowCounter(format: 'csv' | 'ndjson'): (bytes: Uint8Array) => number {
  let rows = format === 'csv' ? -1 : 0; // CSV begins with a header.
  let isQuoted = false;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === QUOTE && format === 'csv') isQuoted = !isQuoted;
      else if (byte === NEWLINE && !isQuoted) rows++;
    }
    return Math.max(0, rows);
  };
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
