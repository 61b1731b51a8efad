/**
 * JSON.parse, also where a key is written with an escape. V8 then takes a key it has seen elsewhere for it when that
 * looks like the escape: after `{"a":0,"\\":0}` it reads `{"a":0,"\n":0}` as `{"a":0,"\\":0}`, and so would one
 * producer's events change the fields of another's (https://github.com/nodejs/node/issues/63785). Throws SyntaxError.
 */
export function parseJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  // Most texts have no escape at all, which is quicker to see.
  return json.includes('\\') && ESCAPED_KEY.test(json) ? parseByTokens(json) : value;
}

/** The last escape before the end of a key. Also finds text that looks like one. */
const ESCAPED_KEY = /\\.[^"\\]*"\s*:/s;
const TOKEN = /[{}[\],]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\],:"]+/g;

type Container = unknown[] | Record<string, unknown>;

/** `json` must be valid. Does not recurse, so that deep nesting cannot exhaust the stack. */
function parseByTokens(json: string): unknown {
  const whole: unknown[] = [];
  const open: Container[] = [whole];
  let into: Container = whole;
  let key: string | null = null;
  const put = (value: unknown): void => {
    if (Array.isArray(into)) into.push(value);
    else {
      define(into, key!, value);
      key = null;
    }
  };
  for (const [token] of json.matchAll(TOKEN)) {
    switch (token[0]) {
      case '{':
      case '[': {
        const container: Container = token === '{' ? {} : [];
        put(container);
        open.push(container);
        into = container;
        break;
      }
      case '}':
      case ']':
        open.pop();
        into = open.at(-1)!;
        break;
      case ',':
        break;
      case '"':
        if (key === null && !Array.isArray(into)) key = JSON.parse(token) as string;
        else put(JSON.parse(token));
        break;
      default:
        put(JSON.parse(token));
    }
  }
  return whole[0];
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}
