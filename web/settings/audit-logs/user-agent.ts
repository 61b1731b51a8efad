/** A user agent as one says it: "Chrome 131 on Windows". undefined: it is none we know, the raw text says more. */
export function agentInWords(userAgent: string): string | undefined {
  const [name, version] = CLIENTS.map(([name, pattern]) => [name, pattern.exec(userAgent)?.[1]] as const).find(
    ([, version]) => version !== undefined,
  ) ?? [undefined, undefined];
  const system = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0];
  if (name === undefined) return system && `Unknown client on ${system}`;
  return `${name} ${version}${system ? ` on ${system}` : ''}`;
}

/** Most particular first: others call themselves Chrome or Safari too. */
const CLIENTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Edge', /Edg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Samsung Internet', /SamsungBrowser\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+(?:\.\d+)?)[\w/. ]* Safari\//],
  ['curl', /^curl\/([\d.]+)/],
  ['Wget', /^Wget\/([\d.]+)/],
  ['Python requests', /python-requests\/([\d.]+)/],
  ['Python httpx', /python-httpx\/([\d.]+)/],
  ['Go HTTP client', /Go-http-client\/([\d.]+)/],
  ['okhttp', /okhttp\/([\d.]+)/],
  ['axios', /axios\/([\d.]+)/],
  ['Postman', /PostmanRuntime\/([\d.]+)/],
  ['Terraform', /Terraform\/([\d.]+)/],
];

const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['Windows', /Windows/],
  ['ChromeOS', /CrOS/],
  ['macOS', /Mac OS X|Macintosh/],
  ['Linux', /Linux/],
];
