import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Longest path a Unix socket may have, less the terminating zero (Linux: sockaddr_un has 108 bytes, macOS 104). */
const LONGEST_SOCKET_PATH = 103;

/**
 * Where the running service answers administrative commands: a mode-0600 socket in the data folder, or, when that path
 * is too long for a socket, one in the temporary folder whose name follows from it.
 */
export function operatorSocket(dataDir: string): string {
  return socketIn(dataDir, 'operator.sock');
}

/** Where the core of a stopped service answers the one command that started it: it is gone when the command is. */
export function commandSocket(dataDir: string): string {
  return socketIn(dataDir, 'command.sock');
}

function socketIn(dataDir: string, name: string): string {
  const path = resolve(dataDir, name);
  return Buffer.byteLength(path) <= LONGEST_SOCKET_PATH
    ? path
    : join(tmpdir(), `trailproof-${hash('sha256', path, 'hex').slice(0, 16)}.sock`);
}
