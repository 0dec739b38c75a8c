export { formatEndpoint, normaliseHost, parseEndpoint } from './endpoint.ts';
export { type HttpAnswer, type HttpHandler, type HttpRequest, textAnswer } from './http/http-exchange.ts';
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http/http-limits.ts';
export { type HttpListener, listenHttp, type ListenHttpOptions } from './http/http-listener.ts';
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
export { type FramePriority } from './peer/frame-queue.ts';
export { type Greeting, type VersionRange } from './peer/greeting.ts';
export { FORMATION_WAIT_MS, type PeerStream, type PeerVerdict } from './peer/greeting-format.ts';
export { type IncomingPeer, type PeerReceiver } from './peer/incoming-peer.ts';
export { PeerAcceptor, type PeerAcceptorOptions } from './peer/peer-acceptor.ts';
export {
  DEFAULT_PEER_ACCEPTOR_LIMITS,
  DEFAULT_PEER_LINK_LIMITS,
  PEER_LISTENER_LIMITS,
  type PeerAcceptorLimits,
  type PeerLinkLimits,
} from './peer/peer-limits.ts';
export {
  PeerLink,
  type PeerLinkCounts,
  type PeerLinkEvents,
  type PeerLinkOptions,
  type PeerLinkState,
} from './peer/peer-link.ts';
export { PeerMesh, type PeerMeshEvents, type PeerMeshOptions } from './peer/peer-mesh.ts';
export {
  type AnswerAdvice,
  type PeerJudgement,
  type PeerOrigin,
  type PeerPolicy,
  type PeerSelf,
  usualAdvice,
} from './peer/peer-policy.ts';
export {
  type ConnectionTls,
  type ExpectedIdentity,
  matchesIdentity,
  nodeName,
  parseSpkiPin,
  type PeerIdentity,
} from './tls/peer-identity.ts';
export { SecureIdentity, type TlsVersion } from './tls/secure-identity.ts';
export type { TlsMaterial } from './tls/tls-material.ts';
export { TransportError, type TransportErrorCode } from './transport-error.ts';
