/** Process entry: becomes the process it wants to be, then runs the command. */

/**
 * V8 and glibc let a heap grow by the machine's memory, not by need: on a large machine a busy service would reach a
 * gigabyte of mostly garbage. With these it stays near what is alive, at the price of CPU: see docs/performance.md.
 */
const LEAN = {
  flags: ['--max-semi-space-size=8', '--heap-growing-percent=120'],
  // A threshold that does not grow: the large blobs of the search index go back to the system, and leave no holes.
  env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' },
};

/** Becomes the same process with LEAN, once: V8 reads these flags only when it starts. */
function becomeLean(): void {
  if (process.platform === 'win32' || LEAN.flags.every((flag) => process.execArgv.includes(flag))) return;
  const args = [process.execPath, ...LEAN.flags, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, args, { ...LEAN.env, ...process.env });
}

// Before anything is loaded that would be loaded again, and so before arguments are understood: a command that has `serve`
// as a value becomes lean in vain. Without a command, the service is meant.
if (process.argv.length === 2 || process.argv.includes('serve')) becomeLean();
await import('./command.ts');
