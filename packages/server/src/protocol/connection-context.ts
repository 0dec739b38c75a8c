/** What all connections of a node share. */

import type { Clock } from '@kayadb/codec';

import type { Identifier } from '../access/authorize.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { ConnectionSlots } from '../admission/connection-slots.ts';
import type { MemoryGate } from '../admission/memory-gate.ts';
import type { ServerLimits } from '../limits.ts';
import type { Logger } from '../logger.ts';
import type { Operations } from '../operations/operations.ts';
import type { FailureLog } from './failure-log.ts';

export interface ConnectionContext {
  readonly operations: Operations;
  readonly identifier: Identifier;
  readonly attempts: FailedAttempts;
  readonly slots: ConnectionSlots;
  readonly memory: MemoryGate;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly logger: Logger;
  readonly failures: FailureLog;
  /** The node cannot go on. May be called more than once. */
  readonly fail: (cause: Error) => void;
}
