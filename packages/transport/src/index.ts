export { formatEndpoint, normaliseHost, parseEndpoint } from './endpoint.ts';
export { type ConnectionLimits, DEFAULT_DIAL_LIMITS, DEFAULT_LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
export type {
  Connection,
  DialOptions,
  DialTls,
  Endpoint,
  Listener,
  ListenerCounts,
  ListenOptions,
  ListenTls,
  Network,
} from './network.ts';
export { nodeNetwork } from './node-network.ts';
export {
  type ConnectionTls,
  type ExpectedIdentity,
  matchesIdentity,
  parseSpkiPin,
  type PeerIdentity,
} from './tls/peer-identity.ts';
export { SecureIdentity, type TlsVersion } from './tls/secure-identity.ts';
export type { TlsMaterial } from './tls/tls-material.ts';
export { TransportError, type TransportErrorCode } from './transport-error.ts';
