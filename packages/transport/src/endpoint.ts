/** Endpoints as text: `host:port`, with IPv6 hosts in brackets. */

import type { Endpoint } from './network.ts';

const IPV4_IN_IPV6 = '::ffff:';
const MAX_PORT = 65_535;

/** `127.0.0.1:7379`, `[::1]:7379`. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @returns `undefined` unless `text` is `host:port` or `[host]:port` with a port from 1 to 65535. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[(?<bracketed>[^[\]]+)\]|(?<plain>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['bracketed'] ?? match?.groups?.['plain'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || port < 1 || port > MAX_PORT) return undefined;
  return { host, port };
}

/** One spelling per address: IPv4 addresses that arrive on an IPv6 socket lose their prefix. */
export function normaliseHost(host: string): string {
  return host.startsWith(IPV4_IN_IPV6) ? host.slice(IPV4_IN_IPV6.length) : host;
}
