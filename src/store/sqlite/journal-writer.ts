import type { Connection } from './connection.ts';
import {
  type JournalEnd,
  type JournalPart,
  JournalReader,
  type JournalRow,
  readJournalEnd,
  writeJournal,
  writeJournalEnd,
} from './journal.ts';

/**
 * Adds rows to the journal and deletes them when what they hold has moved, always inside a transaction of the caller's.
 * What it keeps in memory mirrors the database, and goes with the connection.
 */
export class JournalWriter {
  readonly #connection: Connection;
  /** Rows that hold loose events: their size, and of how many teams. */
  readonly #rows = new Map<number, { readonly bytes: number; teams: number }>();
  #end: JournalEnd = { next: 1, newest: 0, rows: 0 };
  #writtenEnd = this.#end;
  #bytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Of all rows, on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The rows that are there, oldest first; each is to be kept, with the number of teams that have not moved. Throws StorageDamaged. */
  *read(): Generator<JournalRow> {
    this.#end = readJournalEnd(this.#connection);
    this.#writtenEnd = this.#end;
    yield* new JournalReader(this.#connection).all();
  }

  keep({ no, bytes }: Pick<JournalRow, 'no' | 'bytes'>, teams: number): void {
    this.#rows.set(no, { bytes, teams });
    this.#bytes += bytes;
  }

  /** Writes a row; returns its number. */
  add(parts: readonly JournalPart[]): number {
    const no = this.#end.next;
    this.keep({ no, bytes: writeJournal(this.#connection, no, parts) }, parts.length);
    this.#end = { next: no + 1, newest: no, rows: this.#rows.size };
    return no;
  }

  /** One team's events have moved out of the row, which goes with the last of them. */
  release(no: number): void {
    const row = this.#rows.get(no)!;
    row.teams -= 1;
    if (row.teams > 0) return;
    this.#connection.run('DELETE FROM journal WHERE no = ?', no);
    this.#rows.delete(no);
    this.#bytes -= row.bytes;
    const { next, newest } = this.#end;
    const isNewest = no === newest;
    this.#end = { next, newest: isNewest ? ([...this.#rows.keys()].at(-1) ?? 0) : newest, rows: this.#rows.size };
  }

  /** Writes down what the journal must have, if that changed. */
  flush(): void {
    if (this.#end === this.#writtenEnd) return;
    writeJournalEnd(this.#connection, this.#end);
    this.#writtenEnd = this.#end;
  }
}
