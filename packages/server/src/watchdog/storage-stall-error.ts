/** Why a node ends that a disk has left waiting. The code is listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

export type StorageStallErrorCode = 'KAYA_STORAGE_STALLED';

export class StorageStallError extends KayaError<StorageStallErrorCode> {}
