import { describe, expect, it } from 'vitest';
import { cleanPaste } from './paste.ts';

const token = { name: 'token', secret: true, input: 'secret' };
const url = { name: 'endpointUrl', secret: false, input: 'url' };

describe('cleanPaste', () => {
  it('leaves what is right as it is, and says nothing', () => {
    expect(cleanPaste(token, 'a1b2-c3')).toEqual({ value: 'a1b2-c3', removed: null });
    expect(cleanPaste(url, 'https://splunk.acme.com:8088')).toEqual({
      value: 'https://splunk.acme.com:8088',
      removed: null,
    });
  });

  it('takes off spaces and quotes, and says so', () => {
    expect(cleanPaste(token, '  "a1b2" \n')).toEqual({
      value: 'a1b2',
      removed: 'We removed the spaces around it and the quotes around it.',
    });
  });

  it('takes off the name and scheme of the header that a credential came with', () => {
    for (const [pasted, prefix] of [
      ['Authorization: Splunk a1b2', 'Authorization: Splunk'],
      ['Bearer a1b2', 'Bearer'],
      ['ApiKey a1b2', 'ApiKey'],
      ['authorization: a1b2', 'authorization:'],
      ['DD-API-KEY: a1b2', 'DD-API-KEY:'],
    ])
      expect(cleanPaste(token, pasted!)).toEqual({ value: 'a1b2', removed: `We removed “${prefix}” before it.` });
  });

  it('keeps a token that only begins like a scheme', () => {
    expect(cleanPaste(token, 'bearer-token-1').value).toBe('bearer-token-1');
  });

  it('keeps QRadar’s token to the letter, but for spaces around it', () => {
    expect(cleanPaste({ ...token, name: 'secToken' }, ' Bearer "a" ').value).toBe('Bearer "a"');
  });

  it('takes off the vendor’s own path, and keeps any other', () => {
    const clean = (text: string) => cleanPaste(url, text).value;
    expect(clean('https://s.acme.com:8088/services/collector/event')).toBe('https://s.acme.com:8088');
    expect(clean('https://proxy.acme.com/splunk/services/collector?channel=1')).toBe('https://proxy.acme.com/splunk');
    expect(clean('https://http-intake.logs.datadoghq.eu/api/v2/logs')).toBe('https://http-intake.logs.datadoghq.eu');
    expect(clean('https://dce.ingest.monitor.azure.com/dataCollectionRules/dcr-1/streams/Custom-A')).toBe(
      'https://dce.ingest.monitor.azure.com',
    );
    expect(clean('https://proxy.acme.com/elastic')).toBe('https://proxy.acme.com/elastic');
    expect(cleanPaste({ name: 'endpointUrl', secret: false, input: 'text' }, 'es.acme.com/_bulk')).toEqual({
      value: 'es.acme.com',
      removed: 'We removed “/_bulk” at its end.',
    });
  });

  it('leaves certificates and texts alone', () => {
    expect(cleanPaste({ name: 'caCertificate', secret: false, input: 'certificate' }, ' PEM\n').value).toBe(' PEM\n');
    expect(cleanPaste({ name: 'source', secret: false, input: 'text' }, 'Bearer x').value).toBe('Bearer x');
  });
});
