import type { Random } from '../random.ts';
import { FOLDER, ROOT, TYPE } from './fuse-protocol.ts';
import type { NameChange, Operation } from './memory-disk.ts';

/** What a disk forgets: names are kept by one journal for all, or by each folder alone until somebody syncs it. */
export type Forgetting = 'ordered' | 'forgetful';

type Content = Extract<Operation, { kind: 'write' | 'truncate' }>;
interface Pending<T> {
  readonly place: number;
  readonly what: T;
}

/**
 * What is on a disk while the power may fail: follows the record, and says of any moment what a cut would leave. What was
 * synced is there. Of the rest, `ordered`: names and lengths reach the disk in their order, all of them with each sync of
 * anything, after the last one a part from the front; of bytes any blocks. `forgetful`: a name is kept for sure only by
 * a sync of its folder or of the new file itself, a length by a sync of its file; of the rest any part.
 */
export class DiskUnderPower {
  readonly #forgetting: Forgetting;
  readonly #random: Random;
  readonly #files = new Map<number, Bytes>();
  readonly #content = new Map<number, Pending<Content>[]>();
  readonly #names = new Map<number, Map<string, number>>([[ROOT, new Map()]]);
  #nameChanges: Pending<NameChange>[] = [];
  #place = 0;
  /** Lengths changed before this place of the record are on the disk (`ordered`). */
  #journalled = 0;

  constructor(forgetting: Forgetting, random: Random) {
    this.#forgetting = forgetting;
    this.#random = random;
  }

  /** Follows the record up to `place`, which does not go back. */
  follow(record: readonly Operation[], place: number): void {
    for (; this.#place < place; this.#place++) this.#take(record[this.#place]!);
  }

  /** Files by path after a cut here. */
  afterCut(modes: ReadonlyMap<number, number>, random: Random): Map<string, Buffer> {
    const journalled = random.between(this.#journalled, this.#place);
    const survives = (place: number): boolean =>
      this.#forgetting === 'ordered' ? place < journalled : random.next() < 0.5;
    const names = new Map([...this.#names].map(([folder, list]) => [folder, new Map(list)]));
    for (const { place, what } of this.#nameChanges) if (survives(place)) rename(names, what);
    const share = random.pick([0, 0.1, 0.5, 0.9, 1]);
    const block = random.pick([512, 4096]);
    const left = new Map<string, Buffer>();
    const visit = (folder: number, path: string): void => {
      for (const [name, node] of names.get(folder) ?? [])
        if (((modes.get(node) ?? 0) & TYPE) === FOLDER) visit(node, `${path}${name}/`);
        else {
          const bytes = this.#files.get(node)?.copy() ?? new Bytes();
          applySome(bytes, this.#content.get(node) ?? [], { survives, share, block, random });
          left.set(path + name, bytes.value());
        }
    };
    visit(ROOT, '');
    return left;
  }

  #take(operation: Operation): void {
    const place = this.#place;
    if (operation.kind === 'write' || operation.kind === 'truncate') {
      const waiting = this.#content.get(operation.node) ?? [];
      waiting.push({ place, what: operation });
      this.#content.set(operation.node, waiting);
    } else if (operation.kind === 'names') this.#nameChanges.push({ place, what: operation });
    else this.#sync(operation);
  }

  #sync({ kind, node, through, dataOnly }: Extract<Operation, { kind: 'sync' | 'failed-sync' }>): void {
    const waiting = this.#content.get(node) ?? [];
    const covered = waiting.filter(({ place }) => place < through);
    this.#content.set(node, waiting.slice(covered.length));
    const bytes = this.#files.get(node) ?? new Bytes();
    this.#files.set(node, bytes);
    if (kind === 'failed-sync') {
      // What the kernel could not write it holds for written from now on.
      const random = this.#random.fork(`failed sync ${this.#place}`);
      const share = random.pick([0, 0.5, 0.9]);
      applySome(bytes, covered, { survives: () => true, share, block: 4096, random });
      return;
    }
    for (const { what } of covered) apply(bytes, what);
    if (dataOnly) return;
    if (this.#forgetting === 'ordered') this.#journalled = Math.max(this.#journalled, through);
    const isKept = ({ place, what }: Pending<NameChange>): boolean =>
      place < through &&
      (this.#forgetting === 'ordered' ||
        what.changes.some((change) => change.folder === node || (change.node === node && what.changes.length === 1)));
    const kept = this.#nameChanges.filter(isKept);
    for (const { what } of kept) rename(this.#names, what);
    // What was renamed over or made anew meanwhile must not be undone by an older change.
    const isOlder = (change: Pending<NameChange>): boolean =>
      kept.some(
        ({ place, what }) =>
          place > change.place && what.changes.some(({ name }) => change.what.changes.some((c) => c.name === name)),
      );
    this.#nameChanges = this.#nameChanges.filter((change) => !kept.includes(change) && !isOlder(change));
  }
}

function rename(names: Map<number, Map<string, number>>, { changes }: NameChange): void {
  for (const { folder, name, node } of changes) {
    const list = names.get(folder) ?? new Map<string, number>();
    if (node === null) list.delete(name);
    else list.set(name, node);
    names.set(folder, list);
  }
}

interface Chance {
  /** Whether a change of length at this place of the record survives. */
  survives(place: number): boolean;
  /** The chance of each block that was written. */
  readonly share: number;
  readonly block: number;
  readonly random: Random;
}

function applySome(bytes: Bytes, waiting: readonly Pending<Content>[], chance: Chance): void {
  /** A length that did not reach the disk: what was written behind it later had no place there. */
  let end = Number.POSITIVE_INFINITY;
  for (const { place, what } of waiting) {
    if (what.kind === 'truncate') {
      if (chance.survives(place)) bytes.truncate(what.size);
      else end = Math.min(end, what.size);
      continue;
    }
    for (let from = what.offset; from < what.offset + what.data.length; ) {
      const to = Math.min(what.offset + what.data.length, (Math.floor(from / chance.block) + 1) * chance.block);
      if (chance.random.next() < chance.share && to <= end)
        bytes.write(from, what.data.subarray(from - what.offset, to - what.offset));
      from = to;
    }
  }
}

function apply(bytes: Bytes, what: Content): void {
  if (what.kind === 'truncate') bytes.truncate(what.size);
  else bytes.write(what.offset, what.data);
}

/** A file's bytes, growing. */
class Bytes {
  #data: Buffer = Buffer.alloc(0);
  #size = 0;

  copy(): Bytes {
    const copy = new Bytes();
    copy.#data = Buffer.from(this.value());
    copy.#size = this.#size;
    return copy;
  }

  value(): Buffer {
    return this.#data.subarray(0, this.#size);
  }

  write(offset: number, data: Buffer): void {
    this.#grow(Math.max(this.#size, offset + data.length));
    data.copy(this.#data, offset);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#data.fill(0, size, this.#size);
    this.#grow(size);
  }

  #grow(size: number): void {
    if (size > this.#data.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#data.length));
      this.#data.copy(larger, 0, 0, this.#size);
      this.#data = larger;
    }
    this.#size = size;
  }
}
