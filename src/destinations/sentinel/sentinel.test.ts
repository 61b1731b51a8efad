import { describeDestination } from '../conformance.ts';
import { sentinel } from './index.ts';

describeDestination(sentinel, {
  wrongCredential: { clientSecret: 'wrong' },
  itemVerdicts: false,
  deduplicates: false,
  oversize: 'cut',
});
