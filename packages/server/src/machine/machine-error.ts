/** Typed errors of the state machine. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type MachineErrorCode =
  | 'KAYA_UNSUPPORTED_COMMAND'
  | 'KAYA_FEATURE_LEVEL'
  | 'KAYA_STATE_REPLACED'
  | 'KAYA_SNAPSHOT_MISSING'
  | 'KAYA_SNAPSHOT_REFUSED';

export class MachineError extends KayaError<MachineErrorCode> {}
