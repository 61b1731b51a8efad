import { describeDestination } from '../conformance.ts';
import { elastic } from './index.ts';

describeDestination(elastic, {
  wrongCredential: { apiKey: 'wrong:key' },
  itemVerdicts: true,
  deduplicates: true,
  oversize: 'cut',
});
