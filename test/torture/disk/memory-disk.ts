import { type Attributes, BLOCK_BYTES, FILE, FOLDER, ROOT, TYPE } from './fuse-protocol.ts';

/** One change, in the order in which it happened. `at`: milliseconds of the machine's steady clock, as `steadyMs` has it. */
export type Operation = { readonly at: number } & (
  | { readonly kind: 'write'; readonly node: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly node: number; readonly size: number }
  | NameChange
  /** Everything of the node that stands before `through` in the record is on the disk, or, failed, is not and never will. */
  | {
      readonly kind: 'sync' | 'failed-sync';
      readonly node: number;
      readonly through: number;
      readonly dataOnly: boolean;
    }
);

/** `name` in `folder` means `node` from now on; null: it is gone. A rename is two of them, which survive together. */
export interface NameChange {
  readonly kind: 'names';
  readonly changes: readonly { readonly folder: number; readonly name: string; readonly node: number | null }[];
}

interface Node {
  /** Bytes beyond `size` are zero. */
  data: Buffer;
  size: number;
  /** Names by which it is reached. */
  links: number;
  /** How often the kernel was told of it and has not forgotten it. */
  lookups: number;
  readonly names: Map<string, number>;
}

/** The same on every process of the machine. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class DiskError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
export const ERRNO = {
  notPermitted: 1,
  noEntry: 2,
  io: 5,
  exists: 17,
  notFolder: 20,
  isFolder: 21,
  noSpace: 28,
  notEmpty: 39,
  unknown: 38,
};

/** Files and folders in memory as processes see them, and the record of how they came to be so. */
export class MemoryDisk {
  /** Bytes that files may take. */
  capacity: number;
  /** Kept to reconstruct what a power cut leaves; off, only the present is known. */
  isRecording = true;
  readonly record: Operation[] = [];
  /** Types and permissions of every node there ever was; a change of permissions is not part of the record. */
  readonly modes = new Map<number, number>();
  readonly #recordBytes: number;
  readonly #nodes = new Map<number, Node>();
  #last = ROOT;
  #used = 0;
  #recorded = 0;

  constructor(capacity: number, recordBytes: number) {
    this.capacity = capacity;
    this.#recordBytes = recordBytes;
    this.#add(ROOT, FOLDER | 0o700);
    this.#at(ROOT).links = 1;
  }

  get used(): number {
    return this.#used;
  }

  attributes(node: number): Attributes {
    return { node, size: this.#at(node).size, mode: this.modes.get(node) ?? 0 };
  }

  lookup(folder: number, name: string): Attributes {
    const node = this.#at(folder).names.get(name);
    if (node === undefined) throw new DiskError(ERRNO.noEntry);
    this.#at(node).lookups += 1;
    return this.attributes(node);
  }

  forget(node: number, times: number): void {
    const known = this.#nodes.get(node);
    if (!known) return;
    known.lookups -= times;
    this.#release(node);
  }

  make(folder: number, name: string, mode: number): Attributes {
    const node = ++this.#last;
    this.#add(node, mode & TYPE ? mode : mode | FILE);
    return this.link(folder, name, node);
  }

  /** A further name for a node. */
  link(folder: number, name: string, node: number): Attributes {
    if (this.#at(folder).names.has(name)) throw new DiskError(ERRNO.exists);
    this.#link(folder, name, node);
    this.#note({ kind: 'names', changes: [{ folder, name, node }] });
    return this.lookup(folder, name);
  }

  remove(folder: number, name: string): void {
    const node = this.#at(folder).names.get(name);
    if (node === undefined) throw new DiskError(ERRNO.noEntry);
    if (this.#at(node).names.size > 0) throw new DiskError(ERRNO.notEmpty);
    this.#unlink(folder, name);
    this.#note({ kind: 'names', changes: [{ folder, name, node: null }] });
  }

  rename(folder: number, name: string, newFolder: number, newName: string): void {
    const node = this.#at(folder).names.get(name);
    if (node === undefined) throw new DiskError(ERRNO.noEntry);
    if (this.#at(newFolder).names.get(newName) === node) return;
    this.#unlink(newFolder, newName);
    this.#link(newFolder, newName, node);
    this.#unlink(folder, name);
    const changes = [
      { folder: newFolder, name: newName, node },
      { folder, name, node: null },
    ];
    this.#note({ kind: 'names', changes });
  }

  list(folder: number): { readonly name: string; readonly node: number; readonly mode: number }[] {
    return [...this.#at(folder).names].map(([name, node]) => ({ name, node, mode: this.modes.get(node) ?? 0 }));
  }

  read(node: number, offset: number, length: number): Buffer {
    const { data, size } = this.#at(node);
    return data.subarray(offset, Math.max(offset, Math.min(size, offset + length)));
  }

  write(node: number, offset: number, data: Buffer): void {
    this.#resize(node, Math.max(this.#at(node).size, offset + data.length));
    data.copy(this.#at(node).data, offset);
    this.#note({ kind: 'write', node, offset, data }, data.length);
  }

  truncate(node: number, size: number): void {
    this.#resize(node, size);
    this.#note({ kind: 'truncate', node, size });
  }

  /** `through`: where the record was when the sync began. */
  sync(node: number, through: number, options: { readonly dataOnly: boolean; readonly fails: boolean }): void {
    this.#note({ kind: options.fails ? 'failed-sync' : 'sync', node, through, dataOnly: options.dataOnly });
  }

  permit(node: number, mode: number): void {
    this.modes.set(node, (this.attributes(node).mode & TYPE) | (mode & ~TYPE));
  }

  #add(node: number, mode: number): void {
    this.#nodes.set(node, { data: Buffer.alloc(0), size: 0, links: 0, lookups: 0, names: new Map() });
    this.modes.set(node, mode);
  }

  #at(node: number): Node {
    const found = this.#nodes.get(node);
    if (!found) throw new DiskError(ERRNO.noEntry);
    return found;
  }

  #link(folder: number, name: string, node: number): void {
    this.#at(folder).names.set(name, node);
    this.#at(node).links += 1;
  }

  #unlink(folder: number, name: string): void {
    const node = this.#at(folder).names.get(name);
    if (node === undefined) return;
    this.#at(folder).names.delete(name);
    this.#at(node).links -= 1;
    this.#release(node);
  }

  #release(node: number): void {
    const { links, lookups, size } = this.#at(node);
    if (links > 0 || lookups > 0) return;
    this.#used -= blocksOf(size);
    this.#nodes.delete(node);
  }

  #resize(node: number, size: number): void {
    const file = this.#at(node);
    const more = blocksOf(size) - blocksOf(file.size);
    if (more > 0 && this.#used + more > this.capacity) throw new DiskError(ERRNO.noSpace);
    this.#used += more;
    if (size > file.data.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * file.data.length));
      file.data.copy(larger, 0, 0, file.size);
      file.data = larger;
    }
    if (size < file.size) file.data.fill(0, size, file.size);
    file.size = size;
  }

  #note(operation: WithoutTime<Operation>, bytes = 0): void {
    if (!this.isRecording) return;
    this.#recorded += bytes;
    if (this.#recorded > this.#recordBytes) throw new Error('the record of the disk has grown too large');
    this.record.push({ ...operation, at: steadyMs() });
  }
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

function blocksOf(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}
