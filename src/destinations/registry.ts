import { datadog } from './datadog/index.ts';
import type { DestinationKind } from './destination.ts';
import { elastic } from './elastic/index.ts';
import { qradar } from './qradar/index.ts';
import { sentinel } from './sentinel/index.ts';
import { splunk } from './splunk/index.ts';

/** Every kind of destination, in the order the console offers them. A new SIEM is a folder and a line here. */
export const destinationKinds: readonly DestinationKind[] = [splunk, elastic, qradar, sentinel, datadog];
