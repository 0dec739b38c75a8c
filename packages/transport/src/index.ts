export { formatEndpoint, normaliseHost, parseEndpoint } from './endpoint.ts';
export { type ConnectionLimits, DEFAULT_DIAL_LIMITS, DEFAULT_LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
export type { Connection, DialOptions, Endpoint, Listener, ListenerCounts, ListenOptions, Network } from './network.ts';
export { nodeNetwork } from './node-network.ts';
export { TransportError, type TransportErrorCode } from './transport-error.ts';
