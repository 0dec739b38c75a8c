/** Where packets come from, as firewalls write it: an address, or a network in CIDR notation. */

import { classifyAddress } from '@kayadb/codec';

export interface SourceNetwork {
  /** As it was given: nothing else is in it, so it can be put into a rule or a command. */
  readonly text: string;
  readonly version: 4 | 6;
}

/** @returns `undefined` for anything but `10.0.0.1`, `10.0.0.0/8`, `fd00::1` and `fd00::/8`. */
export function parseSourceNetwork(text: string): SourceNetwork | undefined {
  const match = /^(?<address>[0-9a-fA-F:.]+)(?:\/(?<prefix>\d{1,3}))?$/u.exec(text)?.groups;
  const address = match?.['address'] ?? '';
  if (classifyAddress(address) === undefined) return undefined;
  const version = address.includes(':') ? 6 : 4;
  return Number(match?.['prefix'] ?? 0) <= (version === 4 ? 32 : 128) ? { text, version } : undefined;
}
