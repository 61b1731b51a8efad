import type { AccountProblem } from '../auth/accounts.ts';
import type { Refusal } from '../auth/people.ts';
import { invalidField, type ProblemError, problem } from './problem.ts';

/** Why an account cannot be made or changed; `prefix` leads to its fields in the body. */
export function accountProblem({ field, message }: AccountProblem, prefix = ''): ProblemError {
  return invalidField(`${prefix}${field}`, message);
}

/** Why a change of people was refused. */
export function refusalProblem(refusal: Refusal): ProblemError {
  switch (refusal) {
    case 'unknown':
      return problem('not_found', 'There is nobody with this id in the team.');
    case 'last_owner':
      return problem('last_owner', 'Make somebody else an Owner first.');
    case 'owners_only':
      return problem('owners_only');
    case 'already_member':
      return problem('already_exists', 'Somebody with this address is in the team already.');
    case 'oneself':
      return problem('not_allowed', 'Nobody deactivates themselves: leave the team, or ask another Owner or Admin.');
    default:
      return refusal satisfies never;
  }
}
