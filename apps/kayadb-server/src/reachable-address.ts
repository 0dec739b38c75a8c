/** `host:port` as others are told it, or as this node dials it: names are allowed, since they are looked up at each dial. */

import { classifyAddress } from '@kayadb/codec';
import { type Endpoint, parseEndpoint } from '@kayadb/transport';

/** Bound: what the greeting between nodes has room for. docs/format/peer-handshake.md */
const MAX_ADDRESS_BYTES = 255;

const HOST_NAME = /^[a-z\d_](?:[\w-]*[a-z\d_])?(?:\.[a-z\d_](?:[\w-]*[a-z\d_])?)*\.?$/iu;
/** Numbers and dots alone are meant as an address, so a wrong one is no name. */
const LIKE_IPV4 = /^[\d.]+$/u;

/** @returns `undefined` unless `text` is `name:port`, `1.2.3.4:port` or `[::1]:port`, with a port from 1 to 65535 and an address that somebody can have. */
export function parseReachableAddress(text: string): Endpoint | undefined {
  const endpoint = text.length > MAX_ADDRESS_BYTES ? undefined : parseEndpoint(text);
  if (endpoint === undefined) return undefined;
  const { host } = endpoint;
  const isNumeric = text.startsWith('[') || LIKE_IPV4.test(host);
  const scope = classifyAddress(host);
  const isHost = isNumeric ? scope !== undefined && scope !== 'wildcard' : HOST_NAME.test(host);
  return isHost ? endpoint : undefined;
}
