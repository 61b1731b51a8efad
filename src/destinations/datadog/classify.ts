import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Answer } from '../../outbound/outbound.ts';
import type { Outcome } from '../destination.ts';
import { type AnswerFacts, evidenceOf, isHtml, outcomeOfAnswer } from '../failure-outcome.ts';
import { readJson } from '../json-answer.ts';

/**
 * What an answer of the logs intake means. It is about the whole body: Datadog gives no verdict per log. The texts
 * change (that of 403 did in July 2026), so only the status decides.
 * https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
export function classifyIntake(answer: Answer, facts: AnswerFacts): Outcome {
  if (isHtml(answer)) return outcomeOfAnswer(answer, facts);
  if (answer.status >= 200 && answer.status < 300) return { kind: 'delivered', ...evidenceOf(answer, facts.secrets) };
  switch (answer.status) {
    case 401:
      return wrongKey(answer, facts, 'Datadog received no API key (401)');
    case 403:
      return wrongKey(answer, facts, 'Datadog did not accept the API key (403)');
    case 429:
      return throttled(answer, facts);
    default:
      // 400 refused, 408 and 5xx to be sent again, 413 too large: as HTTP defines them.
      return outcomeOfAnswer(answer, facts);
  }
}

const Validation = Compile(Type.Object({ valid: Type.Boolean() }));

/**
 * What the API says of the key: 200 with `valid`, else 403. Undefined when whoever answers does not know the question
 * (a proxy that only passes logs on). https://docs.datadoghq.com/api/latest/authentication/#validate-api-key
 */
export function classifyValidation(answer: Answer, facts: AnswerFacts): Outcome | undefined {
  if (answer.status === 404 || answer.status === 405) return undefined;
  if (answer.status !== 200 || isHtml(answer)) return classifyIntake(answer, facts);
  const validation = readJson(Validation, answer);
  if (validation?.valid === false) return wrongKey(answer, facts, 'Datadog says that the API key is not valid');
  return validation && { kind: 'delivered', status: 200 };
}

function wrongKey(answer: Answer, { secrets }: AnswerFacts, reason: string): Outcome {
  return {
    kind: 'misconfigured',
    cause: 'credential',
    reason,
    fix: 'A key works on its own Datadog site only: compare the site in the endpoint URL with the one in your browser’s address bar. If it is right, create or copy an API key (not an application key) under Organization Settings → API Keys and enter it here.',
    ...evidenceOf(answer, secrets),
  };
}

/** 429 says when to come back in seconds: `Retry-After`, or `x-ratelimit-reset` as Datadog's API has it. */
function throttled(answer: Answer, facts: AnswerFacts): Outcome {
  const { 'x-ratelimit-reset': reset, ...headers } = answer.headers;
  return outcomeOfAnswer(reset ? { ...answer, headers: { 'retry-after': reset, ...headers } } : answer, facts);
}
