/**
 * JSON text with line breaks and indentation, every token exactly as it stands: numbers that a double cannot hold,
 * escapes and repeated keys stay what they were, which parsing and printing would not promise.
 */
export function prettyJson(json: string, indent = '  '): string {
  let depth = 0;
  let result = '';
  const line = () => `\n${indent.repeat(depth)}`;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      depth++;
      result += token + line();
    } else if (token === '}' || token === ']') {
      depth--;
      result += line() + token;
    } else if (token === ',') result += token + line();
    else result += token === ':' ? ': ' : token;
  }
  return result;
}

/** Empty objects and lists stay together; a string is one token, whatever is in it. */
const TOKEN = /\{\s*\}|\[\s*\]|[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/gs;
