/** Every bound of an HTTP listener, with its default. docs/reference/server.md, "HTTP". */

export interface HttpLimits {
  /** Bound: open connections. More are closed at once. */
  readonly maxConnections: number;
  /** Bound: of these, connections that have asked nothing, or nothing more, yet; the one that has waited longest gives way. */
  readonly maxWaiting: number;
  /** How long it may take from the connection, or from the answer before, until a request is there; TLS included. */
  readonly requestMs: number;
  /** How long an answer may take until it is made and taken. */
  readonly answerMs: number;
  /** How long closing waits for answers in the making. */
  readonly closeMs: number;
  /** Bound: the line and headers of a request. */
  readonly maxHeaderBytes: number;
  /** Bound: requests on one connection. */
  readonly maxRequests: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxConnections: 64,
  maxWaiting: 48,
  requestMs: 20_000,
  answerMs: 10_000,
  closeMs: 1_000,
  maxHeaderBytes: 8_192,
  maxRequests: 1_000,
};
