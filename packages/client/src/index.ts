export { connect } from './client.ts';
export type { BatchOperation, BytesInput, CallOptions, Client, NewMember, ScanOptions } from './client.ts';
export {
  BatchError,
  type BatchOperationState,
  ClientError,
  type ClientErrorCode,
  NotLeaderError,
} from './client-error.ts';
export type { ClientOptions } from './options.ts';
export { decideRetry, type AttemptFailure, type RetryDecision, type RetryPolicy, type RetryState } from './retry.ts';
export { systemClock, systemRandom } from './system-clock.ts';
export type { ScanItem } from '@kayadb/codec';
