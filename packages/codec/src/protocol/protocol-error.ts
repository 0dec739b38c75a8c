/** Frames that cannot be accepted or built, whatever their content. */

import { KayaError } from '../errors.ts';

export type ProtocolErrorCode = 'KAYA_FRAME_EMPTY' | 'KAYA_FRAME_TOO_LARGE';

/** A stream that threw this cannot be read on: where the next frame starts is not known. */
export class ProtocolError extends KayaError<ProtocolErrorCode> {}
