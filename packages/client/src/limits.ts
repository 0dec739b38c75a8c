/** Every bound of a client, with its default. */

/** Bound: what one try of one request may take, connecting and waiting for its turn included. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/** Bound: tries of one request, the first one included. */
export const DEFAULT_ATTEMPTS = 4;

/** Full jitter: the wait before try n + 1 is random between 0 and base * 2^(n - 1), capped. */
export const DEFAULT_BACKOFF_BASE_MS = 50;
export const DEFAULT_BACKOFF_CAP_MS = 2_000;

/** Bound: NOT_LEADER answers followed by one request; they use up no attempts. */
export const DEFAULT_REDIRECTS = 3;

/** Bound: connections to one endpoint. */
export const DEFAULT_CONNECTIONS_PER_ENDPOINT = 2;

/** Bound: leaders that are remembered beyond the endpoints that were configured. */
export const MAX_NAMED_LEADERS = 8;

/** How long an endpoint that did not answer is passed over for others, before one request tries it again: longer than an election takes. */
export const SILENT_MS = 5_000;

/** A first connection that is not there after this long is left to itself, and the next endpoint is tried beside it: a machine that is switched off refuses nothing. */
export const STAGGER_MS = 1_000;

/** Bound: requests sent and not answered on one connection. */
export const DEFAULT_IN_FLIGHT_REQUESTS = 256;

/** Bound: bytes of those requests; a larger one goes alone. */
export const DEFAULT_IN_FLIGHT_BYTES = 8 * 1024 * 1024;

/** Bound: calls of one client that have not returned; beyond it they fail with KAYA_TOO_MANY_REQUESTS. */
export const DEFAULT_PENDING_REQUESTS = 65_536;

/** Bound: how long a prefix a scan is split into; a store has no longer key. */
export const MAX_SPLIT_PREFIX_BYTES = 4_096;

/** Bound: a call of version 2 with all its tries. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** Of version 2, whose writes are safe to say again at once, and whose leaders are found within an election. */
export const DEFAULT_BACKOFF_CAP_MS_2 = 250;

/** Bound: redirects in a row that are followed without a wait; nodes that point at each other are asked slowly. */
export const FREE_REDIRECTS = 3;

/** Bound: writes of a session that have a serial and no answer. As docs/format/state-machine.md, "Sessions". */
export const SESSION_WINDOW = 1_024;

/** A session that says nothing for this part of its expiry is touched: two touches may fail. */
export const TOUCH_SHARE = 1 / 3;

/** Of the time that a try has, the node is told this part, so that its refusal comes before the try is given up. */
export const NODE_DEADLINE_SHARE = 0.9;

/** Bound: how long closing a client waits for its session to be closed. */
export const CLOSE_SESSION_MS = 1_000;

/** Bound: operations and bytes of a pipeline that go into one write of version 2. */
export const PIPELINE_OPERATIONS = 512;
export const PIPELINE_BYTES = 1024 * 1024;
