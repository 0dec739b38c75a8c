/**
 * What a request has to be before anybody looks at it: a GET or HEAD without a body, for this listener by a name that is its own. Pure.
 *
 * A page of another site that a browser shows can make it ask for anything that it can reach, also by a name of the site's own that leads here (DNS rebinding).
 * The browser then says that name in `Host`, or the site in `Origin`. Numbers cannot be rebound, so the address that the connection came in on is always this listener's own.
 */

import { isIP } from 'node:net';

import { type HttpAnswer, textAnswer } from './http-exchange.ts';

/** What matters of a request; headers as they were sent. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly hasBody: boolean;
}

export interface HostNames {
  /** Numeric: where the connection came in. */
  readonly localAddress: string | undefined;
  /** Names and addresses that are this listener's besides, in lower case, without ports. */
  readonly allowed: ReadonlySet<string>;
}

/** @returns The answer in its place, when the request is none that may be handled. */
export function findRefusal(request: RawRequest, names: HostNames): HttpAnswer | undefined {
  const { method, target, host, origin, hasBody } = request;
  if (host === undefined || !isOwn(hostOf(`http://${host}`), names)) {
    return textAnswer(421, 'this listener has no such name; use its address, or have the name configured');
  }
  if (origin !== undefined && !isOwn(hostOf(origin), names)) {
    return textAnswer(403, 'pages of other sites may not ask this listener');
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return textAnswer(405, 'only GET and HEAD are answered', { allow: 'GET, HEAD' });
  }
  if (hasBody) return textAnswer(413, 'requests have no body here');
  if (!target.startsWith('/')) return textAnswer(400, 'the target of a request is a path');
  return undefined;
}

/** As `Host` has it after `http://`, or an origin. @returns The host in lower case without brackets, port and a dot at its end. */
function hostOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { hostname, username, password, pathname, search, hash } = new URL(text);
  const isMore = username !== '' || password !== '' || pathname !== '/' || search !== '' || hash !== '';
  return isMore ? undefined : hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function isOwn(host: string | undefined, { localAddress, allowed }: HostNames): boolean {
  if (host === undefined || host === '') return false;
  return isLoopback(host) || host === localAddress || allowed.has(host);
}

/** `::1` is how the URL parser writes it, whatever the spelling; so is 127.0.0.1 of `0x7f.1`. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
