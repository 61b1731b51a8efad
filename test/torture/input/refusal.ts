import assert from 'node:assert/strict';
import { PROBLEMS, type ProblemCode } from '../../../src/contract/problem.ts';

/** Throws unless the answer is a clear refusal: problem+json with a documented code, its status, no fault of the service. */
export function refusalOf(
  answer: {
    readonly status: number;
    readonly contentType: string;
    readonly text: string;
    readonly retryAfter?: string | null;
  },
  what: string,
): ProblemCode {
  const { status, contentType, text } = answer;
  const shown = `${what} was answered ${status} ${contentType}: ${text.slice(0, 500)}`;
  assert(status < 500 || (status === 503 && answer.retryAfter), shown);
  assert.match(contentType, /^application\/problem\+json/, shown);
  const { code, status: said } = JSON.parse(text) as { code: string; status: number };
  assert(isProblemCode(code), `no documented code: ${shown}`);
  assert.equal(said, status, shown);
  assert.equal(PROBLEMS[code].status, status, shown);
  return code;
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}
