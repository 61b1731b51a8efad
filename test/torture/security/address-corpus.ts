/**
 * Addresses and URLs with the narrowest policy that may let them pass, written by hand from the RFCs and the clouds'
 * manuals and sharing no code with the guard. `never`: no policy does.
 */
export type Allowance = 'public' | 'private' | 'any' | 'never';

type Rows = readonly (readonly [allowance: Allowance, texts: readonly string[]])[];

/** As a resolver or a socket gives them. */
export const ADDRESSES: Rows = [
  ['public', ['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '11.0.0.0']],
  ['public', ['9.255.255.255', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255']],
  ['public', ['169.255.0.0', '223.255.255.255', '168.63.129.15', '2606:4700::1111', '2a00:1450::8', '2400:cb00::1']],
  ['public', ['::ffff:8.8.8.8', '::ffff:808:808', '0:0:0:0:0:ffff:0808:0808']],
  // RFC 1918, RFC 6598, RFC 4193.
  ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255']],
  ['private', ['100.64.0.0', '100.127.255.255', 'fc00::1', 'fd12:3456:789a::1', 'fdff:ffff::1', 'fd12::1%eth0']],
  ['private', ['::ffff:10.0.0.1', '::ffff:192.168.1.1', '::ffff:c0a8:101', '0:0:0:0:0:ffff:ac10:1']],
  ['any', ['127.0.0.0', '127.0.0.1', '127.1.2.3', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']],
  ['any', ['::1%lo', '::ffff:7f00:1', '0000:0000:0000:0000:0000:ffff:7f00:0001']],
  // What clouds offer to the machine itself: AWS, Google, Azure, Oracle, DigitalOcean; ECS; Azure's wire server; Alibaba;
  // Oracle's older one; AWS and Google by IPv6.
  ['never', ['169.254.169.254', '169.254.170.2', '169.254.169.123', '169.254.169.253', '168.63.129.16']],
  ['never', ['100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd00:ec2::253', 'fd00:ec2::23', 'fd20:ce::254']],
  ['never', ['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '::ffff:168.63.129.16', '::ffff:100.100.100.200']],
  // This network, link-local, IETF assignments, documentation, benchmarking, relays, multicast, reserved, broadcast.
  ['never', ['0.0.0.0', '0.0.0.1', '0.255.255.255', '169.254.0.0', '169.254.255.255', '192.0.0.0', '192.0.0.8']],
  ['never', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.0', '198.19.255.255', '192.88.99.1']],
  ['never', ['224.0.0.1', '239.255.255.255', '240.0.0.0', '255.255.255.254', '255.255.255.255']],
  ['never', ['::', '0:0:0:0:0:0:0:0', '::2', '::7f00:1', '::127.0.0.1', '::10.0.0.1', '::a9fe:a9fe', '::8.8.8.8']],
  // NAT64 (RFC 6052, RFC 8215), IPv4-translated (RFC 2765), 6to4, Teredo, ORCHID, discard.
  ['never', ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::10.0.0.1', '64:ff9b::8.8.8.8']],
  ['never', ['64:ff9b:1::1', '64:ff9b:1::7f00:1', '64:ff9b:1:ffff::a00:1', '64:ff9b:1:7f00:0:100::']],
  ['never', ['::ffff:0:127.0.0.1', '::ffff:0:a00:1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:c0a8:101::1']],
  ['never', ['2001:0:7f00:1::', '2001::1', '2001:10::1', '2001:20::1', '100::1', '2001:db8::1']],
  ['never', ['fe80::1', 'fe80::1%eth0', 'fe80::1%25lo', 'fe80::ffff:7f00:1', 'febf::1', 'fec0::1', 'feff::1']],
  ['never', ['ff00::1', 'ff02::1', 'ff02::fb', 'ff05::2', 'ff0e::1', '127.0.0.1%lo']],
  // No addresses at all, or only to some readers.
  ['never', ['', ' ', 'localhost', '127.1', '127.0.1', '0177.0.0.1', '0x7f.0.0.1', '0x7f000001', '2130706433']],
  [
    'never',
    ['017700000001', '127.0.0.1.', '127.0.0.01', '127.0.0.256', '127.0.0.1\n', ' 127.0.0.1', '[::1]', '8.8.8.8:80'],
  ],
  ['never', ['１２７.0.0.1', '127。0。0。1', '::ffff:0x7f.1', '::ffff:127.1', ':::1', '1::2::3', '::ffff:127.0.0.1.']],
];

/** Hosts of URLs, each with the port of a sentinel appended; every one of them is an address of this machine. */
export const LOOPBACK_HOSTS: readonly string[] = [
  // Decimal, short, octal, hexadecimal, mixed, one number.
  ...['127.0.0.1', '127.0.1', '127.1', '127.0.0.2', '127.255.255.254', '0177.0.0.1', '0177.0.0.01', '017700000001'],
  ...['0x7f.0.0.1', '0x7F.0x0.0x0.0x1', '0x7f.1', '0x7f000001', '0X7F000001', '0x7f.0.1', '0177.1', '127.0x1'],
  ...['2130706433', '00000000000000000000177.0.0.1', '0x0000000000000000007f.0.0.1', '127.0.0.1.', '127.1.', '0x7f.1.'],
  // In other scripts: full-width, circled, mathematical digits; ideographic and full-width dots; encoded.
  ...[
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
    '%31%32%37%2e%30%2e%30%2e%31',
  ],
  ...[
    '127%2E0%2E0%2E1',
    '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1',
    '12\u00ad7.0.0.1',
    '127.0.0.\u20601',
    '127.0\t.0.1',
    '127.0.0.1\n',
  ],
  // IPv6, and IPv4 within it.
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0001]', '[0::1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::FFFF:7F00:0001]'],
  // Names that mean this machine without any DNS.
  ...[
    'localhost',
    'LOCALHOST',
    'LocalHost',
    'ｌｏｃａｌｈｏｓｔ',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'loc%61lhost',
    'local\u00adhost',
    'local\thost',
  ],
];

/** Hosts that no policy may reach, though on some systems this machine answers at them. */
export const NEVER_HOSTS: readonly string[] = [
  ...['0.0.0.0', '0', '0x0', '00000000', '0.0', '[::]', '[::0]', '[0:0:0:0:0:0:0:0]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]'],
  ...['[::ffff:0:127.0.0.1]', '[::ffff:0.0.0.0]', '169.254.169.254', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376'],
  ...['169.254.43518', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '[fe80::1]', '100.100.100.200', '168.63.129.16'],
  ...['0xa8.63.129.16', '[ff02::1]', '255.255.255.255', '１６９.２５４.１６９.２５４', '①⑥⑨.②⑤④.①⑥⑨.②⑤④'],
];

/** Whole texts that are no destination's address under any policy; `PORT` is a sentinel's. */
export const REFUSED_URLS: readonly string[] = [
  ...['file:///etc/passwd', 'file://127.0.0.1:PORT/', 'gopher://127.0.0.1:PORT/_x', 'ftp://127.0.0.1:PORT/'],
  ...[
    'ws://127.0.0.1:PORT/',
    'wss://127.0.0.1:PORT/',
    'data:text/plain,x',
    'javascript:fetch(1)',
    'blob:http://127.0.0.1:PORT/1',
  ],
  ...[
    'dict://127.0.0.1:PORT/',
    'ldap://127.0.0.1:PORT/',
    'jar:http://127.0.0.1:PORT!/',
    'unix:/tmp/x.sock',
    'tftp://127.0.0.1:PORT/',
  ],
  ...['http://user@127.0.0.1:PORT/', 'http://user:word@127.0.0.1:PORT/', 'http://example.com:80@127.0.0.1:PORT/'],
  ...['http://8.8.8.8@127.0.0.1:PORT/', 'http://user%40x:y@[::1]:PORT/', 'http://:x@127.0.0.1:PORT/'],
  ...[
    'http://',
    'http://:PORT/',
    'http://[::1',
    'http://[::1%25lo]:PORT/',
    'http://[fe80::1%lo]:PORT/',
    'http://127.0.0.256:PORT/',
  ],
  ...[
    'http://127.0.0.1:99999/',
    'http://127.0.0.1:-1/',
    'http://127.0.0.1:0x50/',
    'http://127.0.0.1 :PORT/',
    'http://a b:PORT/',
  ],
  ...['http://0x7f.0.0.0.1:PORT/', 'http://4294967296:PORT/', 'http://127.0.0.0x100:PORT/', 'http://08.0.0.1:PORT/'],
];

/** Ways to write the URL of this machine around its host; each reaches the sentinel, so each must be refused. */
export const ODD_FORMS: readonly string[] = [
  ...[
    'http:\\\\127.0.0.1:PORT\\',
    'http:/127.0.0.1:PORT/',
    'http:127.0.0.1:PORT',
    'http:////127.0.0.1:PORT/',
    'hTTp://127.1:PORT',
  ],
  ...['http://127.0.0.1:PORT\\@8.8.8.8/', 'http://127.0.0.1:PORT#@8.8.8.8/', 'http://127.0.0.1:PORT?@8.8.8.8/'],
  ...[
    '  http://127.0.0.1:PORT/',
    '\thttp://127.0.0.1:PORT/\n',
    'ht\ntp://127.0.0.1:PORT/',
    'http://127.0.0.1:\tPORT/',
    'http://127.0.0.1:0PORT/',
  ],
  ...[
    'http://127.0.0.1:PORT/../../x',
    'http://127.0.0.1:PORT/%2e%2e/',
    'http://127.0.0.1:PORT//8.8.8.8/',
    'http://127.0.0.1:PORT/\u0000',
  ],
];
