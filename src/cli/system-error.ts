/** What the operating system refused, in words and with what to do; undefined for any other error. */
export function explainSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if ('errcode' in error && (error.errcode === READONLY || error.errcode === CANNOT_OPEN))
    return 'A file of the data folder cannot be written. Its owner must be the user that runs Trailproof, and its disk not mounted read-only.';
  const { code, path, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'EADDRINUSE' && port !== undefined)
    return `Port ${port} is in use. Stop what uses it, or choose another (PORT for serve, --port for sandbox).`;
  if (code === 'EACCES' && port !== undefined) return `Port ${port} is not for this user. Choose one from 1024 on.`;
  if (path === undefined) return undefined;
  if (code === 'ENOENT') return `There is no file ${path}.`;
  if (code === 'EACCES' || code === 'EPERM') return `This user may not open ${path}: change its permissions.`;
  if (code === 'EROFS') return `${path} lies on a disk that is mounted read-only.`;
  return undefined;
}

// SQLite's result codes, of the accounts' database: https://sqlite.org/rescode.html
const READONLY = 8;
const CANNOT_OPEN = 14;
