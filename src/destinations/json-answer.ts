import type { Answer } from '../outbound/outbound.ts';

/** What `Compile` of typebox makes of a schema. */
interface Guard<T> {
  Check(value: unknown): value is T;
}

/** The answer's body if it is JSON of the expected shape; undefined when it is cut, no JSON, or of another shape. */
export function readJson<T>(guard: Guard<T>, answer: Answer): T | undefined {
  if (answer.bodyCut) return undefined;
  try {
    const value: unknown = JSON.parse(answer.body);
    return guard.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
