import type { Sequence } from '../../event/logged-event.ts';
import { StorageDamaged } from '../event-log.ts';
import type { Connection } from './connection.ts';
import { crcOf } from './crc.ts';

/** Ids in a row of `id_block` at most, and how many it takes to be worth one. */
const BLOCK_IDS = 256;
const LEAST_IDS = 32;
/** A share of the ids of a block. */
const MOST = 7 / 8;
/** Ids written by one statement. */
const IDS_AT_ONCE = 32;
const INSERT_IDS = Array.from(
  { length: IDS_AT_ONCE + 1 },
  (_, count) => `INSERT INTO event_id (team_no, id, sequence, hash) VALUES ${Array(count).fill('(?,?,?,?)').join()}`,
);
/**
 * So many ids in a row were looked for in vain: then it is worth knowing what else need not be looked for. Of random ids
 * that never helps, so it is tried ever less often.
 */
const IN_VAIN = 16;
const MOST_IN_VAIN = 4_096;

/** How many ids are known. */
export const COUNT_IDS =
  'SELECT (SELECT count(*) FROM event_id) + (SELECT coalesce(sum(count), 0) FROM id_block) AS ids';

/** What deduplication knows of an event. */
export interface KnownId {
  readonly id: string;
  readonly sequence: Sequence;
  /** Of its content: see NewEvent. */
  readonly hash: string;
}

/** Consecutive events whose ids grow from those of one block to the next; the ids of no two blocks overlap. */
interface Block {
  readonly no: number;
  readonly teamNo: number;
  readonly least: string;
  readonly greatest: string;
  /** Sequence of the first line. */
  readonly first: Sequence;
  /** A line for each event, all beginning with a line break: its id and hash, or nothing where another place has it. */
  readonly body: string;
}

interface StoredBlock extends Block {
  readonly checksum: number;
}

const BLOCK = 'no, team_no AS teamNo, least, greatest, first_sequence AS first, body, checksum';

/** Throws StorageDamaged when a block is not as it was written. */
export function examineIds(connection: Connection): void {
  for (const block of connection.iterate<StoredBlock>(`SELECT ${BLOCK} FROM id_block`)) sound(block);
}

/**
 * The ids of the events in a team's rows. Ids that grow with time, as UUIDv7 and ULIDs do, are kept by the block: one row
 * of the database, which costs a fraction of a row each. What is out of order, be it all or the one id of another form,
 * is kept in rows of its own.
 */
export class EventIds {
  readonly #connection: Connection;
  readonly #no: number;
  /** No known id lies between these two, so that ids that grow with time need not be looked for; null: beyond all. */
  #after = '';
  #before: string | null = '';
  #inVain = IN_VAIN;
  #patience = IN_VAIN;
  /** Whether the team may have blocks: random ids are not looked for in any. */
  #hasBlocks: boolean;

  constructor(connection: Connection, teamNo: number) {
    this.#connection = connection;
    this.#no = teamNo;
    this.#hasBlocks = this.#nextBlock('') !== undefined;
  }

  find(id: string): KnownId | undefined {
    if (this.#isInGap(id)) {
      this.#inVain = 0;
      this.#patience = IN_VAIN;
      return undefined;
    }
    const own = this.#connection.get<KnownId>(
      'SELECT id, sequence, hash FROM event_id WHERE team_no = ? AND id = ?',
      this.#no,
      id,
    );
    const found = own ?? find(this.#blockAround(id), id);
    if (!found && ++this.#inVain > this.#patience) this.#widenAround(id);
    return found;
  }

  /** Events that follow each other, behind all that were added before; none of their ids is known. */
  add(events: readonly KnownId[]): void {
    const alone: KnownId[] = [];
    for (let at = 0; at < events.length; at += BLOCK_IDS)
      alone.push(...this.#addBlock(events.slice(at, at + BLOCK_IDS)));
    alone.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (let at = 0; at < alone.length; at += IDS_AT_ONCE) {
      const some = alone.slice(at, at + IDS_AT_ONCE);
      const values = some.flatMap(({ id, sequence, hash }) => [this.#no, id, sequence, hash]);
      this.#connection.run(INSERT_IDS[some.length]!, ...values);
    }
    for (const { id } of events) if (this.#isInGap(id)) this.#after = id;
  }

  /** Forgets these ids; they may be given again. */
  delete(events: readonly Pick<KnownId, 'id' | 'sequence'>[]): void {
    let block: Block | undefined;
    let lines: string[] = [];
    const write = (): void => {
      if (!block) return;
      const count = lines.filter((line) => line !== '').length;
      if (count === 0) this.#connection.run('DELETE FROM id_block WHERE no = ?', block.no);
      else {
        const body = lines.join('\n');
        const sql = 'UPDATE id_block SET count = ?, body = ?, checksum = ? WHERE no = ?';
        this.#connection.run(sql, count, body, checksumOf({ ...block, body }), block.no);
      }
    };
    for (const { id, sequence } of events) {
      if (!block || !isWithin(block, id)) {
        write();
        block = this.#blockAround(id);
        lines = block?.body.split('\n') ?? [];
      }
      const line = block && sequence - block.first + 1;
      if (line !== undefined && lines[line]?.startsWith(`${id} `)) lines[line] = '';
      else this.#connection.run('DELETE FROM event_id WHERE team_no = ? AND id = ?', this.#no, id);
    }
    write();
  }

  #isInGap(id: string): boolean {
    return id > this.#after && (this.#before === null || id < this.#before);
  }

  /** Keeps in a block those of the events whose ids are of the form of most and lie between two blocks; returns the others. */
  #addBlock(events: readonly KnownId[]): readonly KnownId[] {
    if (events.length < LEAST_IDS || !isGrowing(events)) return events;
    const ids = events.map(({ id }) => id).sort();
    const middle = ids[ids.length >> 1]!;
    const next = this.#nextBlock(middle);
    if (next && next.least <= middle) return events;
    const after = this.#lastBlockBefore(middle);
    const form = formOf(ids);
    const isInOrder = (id: string): boolean =>
      id > after && (next === undefined || id < next.least) && id.startsWith(form);
    const inOrder = ids.filter(isInOrder);
    this.#hasBlocks = true;
    const block = {
      teamNo: this.#no,
      least: inOrder[0]!,
      greatest: inOrder.at(-1)!,
      first: events[0]!.sequence,
      body: events.map(({ id, hash }) => (isInOrder(id) ? `\n${id} ${hash}` : '\n')).join(''),
    };
    this.#connection.run(
      `INSERT INTO id_block (team_no, least, greatest, first_sequence, count, body, checksum)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      block.teamNo,
      block.least,
      block.greatest,
      block.first,
      inOrder.length,
      block.body,
      checksumOf(block),
    );
    return inOrder.length === events.length ? [] : events.filter(({ id }) => !isInOrder(id));
  }

  /** The gap becomes the one that the id, which is not known, lies in; unless that is within a block. */
  #widenAround(id: string): void {
    this.#inVain = 0;
    this.#patience = Math.min(2 * this.#patience, MOST_IN_VAIN);
    const next = this.#nextBlock(id);
    if (next && next.least <= id) return;
    const after = this.#ownId('id < ? ORDER BY id DESC', id) ?? '';
    const before = this.#ownId('id > ? ORDER BY id', id) ?? null;
    const lastBlock = this.#lastBlockBefore(id);
    this.#after = after > lastBlock ? after : lastBlock;
    this.#before = before === null || (next && next.least < before) ? (next?.least ?? null) : before;
  }

  #ownId(which: 'id < ? ORDER BY id DESC' | 'id > ? ORDER BY id', id: string): string | undefined {
    const sql = `SELECT id FROM event_id WHERE team_no = ? AND ${which} LIMIT 1`;
    return this.#connection.get<{ id: string }>(sql, this.#no, id)?.id;
  }

  #lastBlockBefore(id: string): string {
    const sql = 'SELECT greatest FROM id_block WHERE team_no = ? AND greatest < ? ORDER BY greatest DESC LIMIT 1';
    return this.#connection.get<{ greatest: string }>(sql, this.#no, id)?.greatest ?? '';
  }

  /** The first block that does not end before the id. */
  #nextBlock(id: string): Pick<Block, 'no' | 'least'> | undefined {
    const sql = 'SELECT no, least FROM id_block WHERE team_no = ? AND greatest >= ? ORDER BY greatest LIMIT 1';
    return this.#connection.get(sql, this.#no, id);
  }

  /** The block that the id would be in. Throws StorageDamaged. */
  #blockAround(id: string): Block | undefined {
    const block = this.#hasBlocks ? this.#nextBlock(id) : undefined;
    if (!block || id < block.least) return undefined;
    return sound(this.#connection.get<StoredBlock>(`SELECT ${BLOCK} FROM id_block WHERE no = ?`, block.no)!);
  }
}

/** SQLite would hand out what a failing disk has made of it. */
function checksumOf({ teamNo, least, greatest, first, body }: Omit<Block, 'no'>): number {
  return crcOf(body, crcOf(`${teamNo} ${least} ${greatest} ${first} `));
}

function sound(block: StoredBlock): Block {
  if (checksumOf(block) === block.checksum) return block;
  throw new StorageDamaged(
    `trailproof.db is damaged in the ids of events ${block.first} to about ${block.first + BLOCK_IDS - 1} of a team`,
  );
}

/** Most ids are greater than those half of the events before: producers' ids arrive a little out of order. */
function isGrowing(events: readonly KnownId[]): boolean {
  const half = events.length >> 1;
  const pairs = events.length - half;
  let grown = 0;
  for (let i = 0; i < pairs; i++) if (events[i]!.id < events[i + half]!.id) grown += 1;
  return grown >= MOST * pairs;
}

/**
 * What most of the sorted ids begin with. One that does not, be it of a producer whose clock is ahead, would stretch its
 * block over the ids of hours to come.
 */
function formOf(ids: readonly string[]): string {
  const aside = Math.floor((ids.length * (1 - MOST)) / 2);
  const [least, greatest] = [ids[aside]!, ids[ids.length - 1 - aside]!];
  let same = 0;
  while (same < least.length && least[same] === greatest[same]) same += 1;
  return least.slice(0, same);
}

function isWithin({ least, greatest }: Block, id: string): boolean {
  return least <= id && id <= greatest;
}

function find(block: Block | undefined, id: string): KnownId | undefined {
  const at = block?.body.indexOf(`\n${id} `) ?? -1;
  if (!block || at === -1) return undefined;
  const start = at + id.length + 2;
  const end = block.body.indexOf('\n', start);
  const line = block.body.slice(0, at).split('\n').length - 1;
  return { id, sequence: block.first + line, hash: block.body.slice(start, end === -1 ? undefined : end) };
}
