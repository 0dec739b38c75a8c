/** Whether the disk has room for user writes: pure decisions from what was measured. docs/decisions/20261122-disk-reserve.md. */

import { assertNever } from '@kayadb/codec';

/**
 * - `unwatched`: neither a reserve nor a soft limit was asked for, so nobody looks.
 * - `ok`: writes are taken.
 * - `low`: less is left than the soft limit.
 * - `full`: a write of the engine found no room, and what there is now may be the reserve given back.
 */
export type DiskState = 'unwatched' | 'ok' | 'low' | 'full';

export interface DiskLimits {
  /** Soft limit: what is to stay free for the engine. 0: none. */
  readonly lowBytes: number;
  /** Size of the reserve file. 0: none. */
  readonly reserveBytes: number;
}

/** What one look at the disk found. */
export interface DiskLook {
  readonly availableBytes: number;
  /** What the reserve file holds now. */
  readonly heldBytes: number;
}

/** Share of a limit that has to be free beyond it before writes are taken again, so that the state does not flap. */
const RETURN_SHARE = 8;

/** What writers may use of the space that is available: not what the reserve still lacks. May be negative. */
export function usableBytes({ availableBytes, heldBytes }: DiskLook, { reserveBytes }: DiskLimits): number {
  return availableBytes - Math.max(0, reserveBytes - heldBytes);
}

/** From so many available bytes on writes are taken again, with so much in the reserve file. */
export function neededBytes(heldBytes: number, limits: DiskLimits): number {
  return returnBytes(limits) + Math.max(0, limits.reserveBytes - heldBytes);
}

/** From so many usable bytes on writes are taken again. */
export function returnBytes({ lowBytes, reserveBytes }: DiskLimits): number {
  return lowBytes + Math.ceil(Math.max(lowBytes, reserveBytes) / RETURN_SHARE);
}

/**
 * The state after a look. `full` is entered only where a write meets it, and left only with the reserve made again: that proves room
 * which a quota may refuse though the disk has it.
 */
export function decideDiskState(previous: DiskState, look: DiskLook, limits: DiskLimits): DiskState {
  const usable = usableBytes(look, limits);
  switch (previous) {
    case 'unwatched':
      return previous;
    case 'ok':
      return usable < limits.lowBytes ? 'low' : 'ok';
    case 'low':
      return usable >= returnBytes(limits) ? 'ok' : 'low';
    case 'full':
      return usable >= returnBytes(limits) && look.heldBytes >= limits.reserveBytes ? 'ok' : 'full';
    default:
      return assertNever(previous, 'disk state');
  }
}

/** Whether to make the reserve file now: only with room for it beyond the soft limit. */
export function shouldMakeReserve(look: DiskLook, limits: DiskLimits): boolean {
  return look.heldBytes < limits.reserveBytes && usableBytes(look, limits) >= returnBytes(limits);
}
