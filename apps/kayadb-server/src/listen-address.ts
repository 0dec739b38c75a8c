/** `host:port` with a numeric host, as the address flags take it. */

import { classifyAddress } from '@kayadb/codec';
import type { Endpoint } from '@kayadb/transport';

const MAX_PORT = 65_535;

/** @returns `undefined` unless `text` is `1.2.3.4:port` or `[::1]:port`. Port 0 means any free one. */
export function parseListenAddress(text: string): Endpoint | undefined {
  const match = /^(?:\[(?<v6>[^[\]]+)\]|(?<v4>[\d.]+)):(?<port>\d{1,5})$/u.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['v4'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || port > MAX_PORT || classifyAddress(host) === undefined) return undefined;
  return { host, port };
}
