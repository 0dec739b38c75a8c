/** Bytes in double quotes, as Go's verb %q writes them. */

const ESCAPES: { readonly [character: string]: string | undefined } = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function quote(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    text += character === undefined ? hex('\\x', bytes[at]!, 2) : escape(character);
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return `"${text}"`;
}

/** The character that begins at `at`, or `undefined` when the bytes there are none. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      return decoder.decode(bytes.subarray(at, at + length));
    } catch {
      // Not a whole character yet.
    }
  }
  return undefined;
}

function escape(character: string): string {
  const escaped = ESCAPES[character];
  if (escaped !== undefined) return escaped;
  if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const point = character.codePointAt(0)!;
  if (point < 0x80) return hex('\\x', point, 2);
  return point < 0x1_0000 ? hex('\\u', point, 4) : hex('\\U', point, 8);
}

function hex(prefix: string, value: number, digits: number): string {
  return `${prefix}${value.toString(16).padStart(digits, '0')}`;
}
