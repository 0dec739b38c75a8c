/** What all connections of a node share. */

import type { Clock } from '@kayadb/codec';

import type { Identifier } from '../access/authorize.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { MemoryGate } from '../admission/memory-gate.ts';
import type { Slots } from '../admission/slots.ts';
import type { ServerLimits } from '../limits.ts';
import type { Logger } from '../logger.ts';
import type { NodeOperations } from '../operations-2/node-operations.ts';
import type { V1Operations } from '../operations/v1-operations.ts';
import type { FailureLog } from './failure-log.ts';

export interface ConnectionContext {
  /** Of version 1. */
  readonly operations: V1Operations;
  /** Of version 2. */
  readonly operations2: NodeOperations;
  readonly identifier: Identifier;
  readonly attempts: FailedAttempts;
  /** Of connections that are served more than operators need. */
  readonly slots: Slots;
  /** Of scans that are open. */
  readonly scanSlots: Slots;
  readonly memory: MemoryGate;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly logger: Logger;
  readonly failures: FailureLog;
  /** The node cannot go on. May be called more than once. */
  readonly fail: (cause: Error) => void;
}
