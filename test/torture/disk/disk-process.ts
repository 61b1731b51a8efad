import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, read, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../random.ts';
import type { DiskCommand, DiskOptions, DiskReply, Faults } from './faulty-disk.ts';
import * as fuse from './fuse-protocol.ts';
import { DiskError, ERRNO, MemoryDisk } from './memory-disk.ts';
import { DiskUnderPower, type Forgetting } from './power-cut.ts';

/**
 * The disk as a process of its own, in a namespace of its own where it is mounted: whoever served a file system to
 * itself would wait for itself. It ends with its parent, and the mount ends with it.
 */
const { folder, bytes, recordBytes, seed, image } = JSON.parse(process.argv[2]!) as DiskOptions;
const disk = new MemoryDisk(bytes, recordBytes);
const random = createRandom(seed);
let faults: Faults = { syncMs: null, holdSyncs: false, failSync: 0, failWrite: 0, noSpace: 0, noLinks: false };
let refused = 0;
let syncs = 0;
/** Syncs that do not end for now, and how to let them. */
const held: (() => void)[] = [];
const underPower = new Map<Forgetting, { readonly disk: DiskUnderPower; place: number }>();

if (image !== null) load(image);
const device = openSync('/dev/fuse', 'r+');
listen(Buffer.alloc(fuse.REQUEST_BYTES));
await mount();
process.on('message', (command: DiskCommand) => {
  const reply: DiskReply = { id: command.id, value: obey(command) };
  process.send!(reply);
});
// A read of the device that waits in a thread would keep an orderly exit waiting, too.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send!({ id: 0, value: null } satisfies DiskReply);

/** What was on a disk before, all of it durable. */
function load(from: string): void {
  for (const name of readdirSync(from)) {
    const { node } = disk.make(fuse.ROOT, name, 0o600);
    disk.write(node, 0, readFileSync(join(from, name)));
    disk.sync(node, disk.record.length, { dataOnly: false, fails: false });
    disk.forget(node, 1);
  }
  disk.sync(fuse.ROOT, disk.record.length, { dataOnly: false, fails: false });
}

async function mount(): Promise<void> {
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const mounting = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'trailproof', folder], {
    stdio: ['ignore', 'inherit', 'inherit', device],
  });
  const [code] = await once(mounting, 'exit');
  if (code !== 0) throw new Error(`mount ended with ${code}`);
}

function obey(command: DiskCommand): unknown {
  switch (command.what) {
    case 'faults':
      faults = { ...faults, ...command.faults };
      if (!faults.holdSyncs) for (const letGo of held.splice(0)) letGo();
      return null;
    case 'space':
      disk.capacity = command.bytes ?? disk.used;
      return null;
    case 'state':
      return { used: disk.used, refused, syncs, held: held.length, place: disk.record.length };
    case 'record':
      return disk.record.map(({ at, kind }) => ({ at, kind }));
    case 'cut':
      for (const [path, content] of cut(command)) writeFileSync(join(command.into, path), content, { mode: 0o600 });
      return null;
  }
}

/** Cuts asked for in their order cost one walk over the record together. */
function cut({ place, forgetting, seed: choices }: Extract<DiskCommand, { what: 'cut' }>): Map<string, Buffer> {
  let walk = underPower.get(forgetting);
  if (!walk || walk.place > place) walk = { disk: new DiskUnderPower(forgetting, createRandom(seed)), place: 0 };
  underPower.set(forgetting, walk);
  walk.disk.follow(disk.record, place);
  walk.place = place;
  return walk.disk.afterCut(disk.modes, createRandom(choices));
}

function listen(buffer: Buffer): void {
  read(device, buffer, 0, buffer.length, null, (error, length) => {
    if (error && error.code === 'ENODEV') return process.disconnect();
    if (!error) {
      const request = fuse.parseRequest(buffer.subarray(0, length));
      listen(buffer);
      void serve(request);
    } else listen(buffer);
  });
}

async function serve(request: fuse.Asked): Promise<void> {
  let body: Buffer | number | null;
  try {
    body = request.what === 'fsync' ? await sync(request.node, request.dataOnly) : perform(request);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    body = error.errno;
  }
  if (body === null) return;
  try {
    writeSync(device, fuse.answer(request.unique, body));
  } catch (error) {
    // Whoever asked was killed meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function sync(node: number, dataOnly: boolean): Promise<Buffer> {
  const through = disk.record.length;
  const fails = random.next() < faults.failSync;
  if (faults.holdSyncs) await new Promise<void>((letGo) => held.push(letGo));
  if (faults.syncMs) {
    const ms = random.between(...faults.syncMs);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  syncs += 1;
  disk.sync(node, through, { dataOnly, fails });
  if (fails) refuse(ERRNO.io);
  return fuse.NOTHING;
}

function refuse(errno: number): never {
  refused += 1;
  throw new DiskError(errno);
}

function perform(request: fuse.Asked): Buffer | number | null {
  const { node } = request;
  switch (request.what) {
    case 'init':
      return fuse.initialised();
    case 'lookup':
      return fuse.entryOf(disk.lookup(node, request.name));
    case 'forget':
      for (const forgotten of request.nodes) disk.forget(forgotten.node, forgotten.times);
      return null;
    case 'interrupt':
      return null;
    case 'getattr':
      return fuse.attributesOf(disk.attributes(node));
    case 'setattr':
      if (request.size !== null) disk.truncate(node, request.size);
      if (request.mode !== null) disk.permit(node, request.mode);
      return fuse.attributesOf(disk.attributes(node));
    case 'mknod':
      return fuse.entryOf(disk.make(node, request.name, request.mode));
    case 'mkdir':
      return fuse.entryOf(disk.make(node, request.name, request.mode | fuse.FOLDER));
    case 'create':
      return Buffer.concat([fuse.entryOf(disk.make(node, request.name, request.mode)), fuse.opened()]);
    case 'link':
      if (faults.noLinks) refuse(ERRNO.notPermitted);
      return fuse.entryOf(disk.link(node, request.name, request.target));
    case 'unlink':
    case 'rmdir':
      disk.remove(node, request.name);
      return fuse.NOTHING;
    case 'rename':
      disk.rename(node, request.name, request.folder, request.newName);
      return fuse.NOTHING;
    case 'open':
    case 'opendir':
      return fuse.opened();
    case 'read':
      return disk.read(node, request.offset, request.length);
    case 'readdir':
      return fuse.names(disk.list(node), request.offset, request.length);
    case 'write':
      if (random.next() < faults.failWrite) refuse(ERRNO.io);
      if (random.next() < faults.noSpace) refuse(ERRNO.noSpace);
      try {
        disk.write(node, request.offset, request.data);
      } catch (error) {
        if (error instanceof DiskError) refused += 1;
        throw error;
      }
      return fuse.written(request.data.length);
    case 'statfs':
      return fuse.space(
        Math.floor(bytes / fuse.BLOCK_BYTES),
        Math.max(0, Math.floor((disk.capacity - disk.used) / fuse.BLOCK_BYTES)),
      );
    case 'release':
    case 'flush':
      return fuse.NOTHING;
    case 'fsync':
    case 'unknown':
      return ERRNO.unknown;
  }
}
