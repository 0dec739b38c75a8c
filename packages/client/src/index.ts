export { connect } from './connect.ts';
export type { BytesInput, ScanRange } from './arguments.ts';
export type {
  BatchOperation,
  CallOptions,
  Client,
  Comparison,
  ComparisonReceipt,
  Condition,
  DeletedRange,
  HealthRole,
  JsonDocument,
  MembershipOptions,
  NewMember,
  PutOrDelete,
  ReadOptions,
  Row,
  ScanOptions,
  StoredValue,
  WriteReceipt,
} from './client.ts';
export {
  BatchError,
  type BatchOperationState,
  ClientError,
  type ClientErrorCode,
  NotLeaderError,
} from './client-error.ts';
export type { ClientEvent } from './client-event.ts';
export type { ClientOptions } from './options.ts';
export {
  decideRetry,
  type AttemptFailure,
  type RetryDecision,
  type RetryPolicy,
  type RetryState,
} from './protocol-1/retry.ts';
export { systemClock, systemRandom } from './system-clock.ts';
export type { ScanItem } from '@kayadb/codec';
// What `ClientOptions.tls` is made of, so that whoever uses the client needs no other package.
export {
  type DialTls,
  type ExpectedIdentity,
  parseSpkiPin,
  SecureIdentity,
  type TlsMaterial,
  type TlsVersion,
} from '@kayadb/transport';
