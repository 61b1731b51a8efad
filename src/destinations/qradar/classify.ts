import type { Answer } from '../../outbound/outbound.ts';
import type { Outcome } from '../destination.ts';
import { type AnswerFacts, evidenceOf, isHtml, outcomeOfAnswer } from '../failure-outcome.ts';

/**
 * What an answer of the HTTP Receiver means. IBM documents none: any 2xx that is no web page is success, the rest is
 * read as HTTP defines it. https://www.ibm.com/docs/en/dsm?topic=options-http-receiver-protocol-configuration
 */
export function classifyPost(answer: Answer, facts: AnswerFacts): Outcome {
  const { status } = answer;
  if (status >= 200 && status < 300 && !isHtml(answer))
    return { kind: 'delivered', ...evidenceOf(answer, facts.secrets) };
  // The receiver knows one token and no rights: 403 is a wrong token too.
  if ((status === 401 || status === 403) && !isHtml(answer))
    return {
      kind: 'misconfigured',
      cause: 'credential',
      reason: `QRadar did not accept the SEC token (${status})`,
      fix: 'In QRadar, open Admin → Log Sources → this log source → Protocol and compare the name and the value of the HTTP authentication token header: the value is compared literally, so “Bearer ” counts if it is there.',
      ...evidenceOf(answer, facts.secrets),
    };
  return outcomeOfAnswer(answer, facts);
}
