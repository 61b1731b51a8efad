/** What changed, field by field. */
export interface Change {
  /** `role`, `limits.daily`, `members[2].name`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'same';
  /** JSON of the value, strings without quotes; undefined: it was not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The difference of an event's `changes`, nested values flattened by path; what differs first, each in the order sent. */
export function differences(changes: Readonly<Record<string, unknown>>): readonly Change[] {
  const before = leaves(changes['previous']);
  const after = leaves(changes['current']);
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const all = paths.map((path): Change => {
    const [previous, current] = [before.get(path), after.get(path)];
    const kind =
      previous === undefined ? 'added' : current === undefined ? 'removed' : previous === current ? 'same' : 'changed';
    return { path, kind, before: previous, after: current };
  });
  return [...all.filter(({ kind }) => kind !== 'same'), ...all.filter(({ kind }) => kind === 'same')];
}

/** Every value that is no object, by its path; empty objects and lists are values too. */
export function leaves(value: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  walk(value, '');
  return found;

  function walk(node: unknown, path: string): void {
    if (node === undefined) return;
    const entries = typeof node === 'object' && node !== null ? Object.entries(node) : [];
    if (entries.length === 0) {
      found.set(path || 'value', typeof node === 'string' ? node : JSON.stringify(node));
      return;
    }
    for (const [name, child] of entries)
      walk(child, Array.isArray(node) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`);
  }
}
