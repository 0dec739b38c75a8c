/** A request and its answer over HTTP, as plain values: who handles them knows nothing of sockets or of Node. */

import type { Endpoint } from '../network.ts';

/** GET or HEAD, which are handled alike: of an answer to HEAD the body is not sent. */
export interface HttpRequest {
  /** Begins with `/`; as it was sent, percent signs and all. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The header of that name. */
  readonly authorization: string | undefined;
  readonly from: Endpoint;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** More of them, in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** May reject: the other side is told that something failed, and no more. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

/** One sentence, for people. */
export function textAnswer(status: number, text: string, headers?: HttpAnswer['headers']): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n`, headers };
}
