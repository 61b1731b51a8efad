import { describeDestination } from '../conformance.ts';
import { splunk } from './index.ts';

describeDestination(splunk, {
  wrongCredential: { token: '99999999-9999-9999-9999-999999999999' },
  itemVerdicts: true,
  deduplicates: false,
  oversize: 'cut',
});
