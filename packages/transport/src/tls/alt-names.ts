/**
 * The names of a certificate, out of the one line in which Node has them: `DNS:a.example, IP Address:10.0.0.1`. Values with anything
 * unusual in them are JSON strings there, which is what keeps a comma inside a name from making another name.
 *
 * Invariant: a line that is not wholly of this form gives no names at all.
 */

export interface AltNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const ENTRY = /(?<kind>[A-Za-z ]+):(?<value>"(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

export function readAltNames(text: string): AltNames {
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  let at = 0;
  while (at < text.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    const value = unquote(match?.groups?.['value']);
    if (value === undefined) return { dnsNames: [], ipAddresses: [] };
    if (match?.groups?.['kind'] === 'DNS') dnsNames.push(value);
    else if (match?.groups?.['kind'] === 'IP Address') ipAddresses.push(value);
    at = ENTRY.lastIndex;
  }
  return { dnsNames, ipAddresses };
}

function unquote(value: string | undefined): string | undefined {
  if (value?.startsWith('"') !== true) return value;
  try {
    return JSON.parse(value) as string;
  } catch {
    return undefined;
  }
}
