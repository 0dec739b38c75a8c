/** Numeric IP addresses: which of them reach beyond this machine, and how far. Nothing is looked up. */

/** `private` is RFC 1918, IPv6 unique local, and link-local of both families. */
export type AddressScope = 'loopback' | 'private' | 'wildcard' | 'public';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/u;
const ZONE = /%[\w.-]+$/u;

/** @returns `undefined` for text that is not a numeric address. */
export function classifyAddress(host: string): AddressScope | undefined {
  if (IPV4.test(host)) return classifyV4(host.split('.').map(Number));
  const groups = parseV6(host.replace(ZONE, ''));
  return groups === undefined ? undefined : classifyV6(groups);
}

function classifyV4(bytes: readonly number[]): AddressScope {
  const [a = 0, b = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return 'wildcard';
  if (a === 127) return 'loopback';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)) {
    return 'private';
  }
  return 'public';
}

function classifyV6(groups: readonly number[]): AddressScope {
  const first = groups[0]!;
  const high = groups[6]!;
  const low = groups[7]!;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return classifyV4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
  }
  if (groups.slice(0, 7).every((group) => group === 0)) {
    if (low === 0) return 'wildcard';
    if (low === 1) return 'loopback';
  }
  const isUniqueLocal = (first & 0xfe00) === 0xfc00;
  const isLinkLocal = (first & 0xffc0) === 0xfe80;
  return isUniqueLocal || isLinkLocal ? 'private' : 'public';
}

/** The URL parser knows every spelling of an IPv6 address and writes each in one way: lower case, `::` at most once. */
function parseV6(host: string): readonly number[] | undefined {
  if (!host.includes(':') || !/^[\da-f:.]+$/iu.test(host)) return undefined;
  const url = `http://[${host}]/`;
  if (!URL.canParse(url)) return undefined;
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::');
  const before = parseGroups(head);
  if (tail === undefined) return before;
  const after = parseGroups(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function parseGroups(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
