import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync, StatementSync } from 'node:sqlite';

/*
 * Loaded before everything else into a thread that is to die at a chosen operation: `KILL_AT` says which kind and the
 * how many-th. `commit`: right behind a COMMIT, before anybody has heard of it. `statement`: before a statement that
 * writes. `file`: before a step of writing, renaming or removing a small file.
 */

const [kind = '', count = '0'] = (process.env['KILL_AT'] ?? '').split(':');
let left = Number(count);

function step(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

const execute = DatabaseSync.prototype.exec;
const run = StatementSync.prototype.run;

if (kind === 'commit')
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
    execute.call(this, sql);
    if (sql === 'COMMIT') step();
  };

if (kind === 'statement') {
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
    // The steps of a schema come as one text.
    for (const statement of sql.replace(/--.*$/gm, '').split(';'))
      if (statement.trim() !== '') {
        step();
        execute.call(this, statement);
      }
  };
  StatementSync.prototype.run = new Proxy(run, {
    apply: (target, statement, values) => {
      step();
      return Reflect.apply(target, statement, values);
    },
  });
}

if (kind === 'file') {
  const { openSync, writeSync, fsyncSync, closeSync, renameSync, rmSync, linkSync } = fs;
  fs.writeFileSync = (path, data, options) => {
    const { flag = 'w', mode = 0o666, flush = false } = typeof options === 'object' && options !== null ? options : {};
    if (typeof path !== 'string' || typeof data !== 'string') throw new TypeError('a small file has a path and a text');
    const bytes = Buffer.from(data);
    const half = Math.floor(bytes.length / 2);
    step();
    const file = openSync(path, flag, mode);
    step();
    writeSync(file, bytes, 0, half);
    step();
    writeSync(file, bytes, half);
    step();
    if (flush) fsyncSync(file);
    closeSync(file);
  };
  fs.renameSync = (...paths) => {
    step();
    renameSync(...paths);
  };
  fs.linkSync = (...paths) => {
    step();
    linkSync(...paths);
  };
  fs.rmSync = (...path) => {
    step();
    rmSync(...path);
  };
  syncBuiltinESMExports();
}
