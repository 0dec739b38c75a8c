/**
 * Takes back a write that found the disk full, so that the writer may be told that it did not happen.
 *
 * An error says nothing about how much of a write arrived: none of it, a part, all of it. What arrived would be read after the process has died,
 * and be on disk after power loss, long after the writer was told. See docs/internals/durability.md.
 */

import { isDiskFull } from './file-system-error.ts';
import type { FileHandle } from './file-system.ts';

/** One write call. */
const ZEROS = new Uint8Array(128 * 1024);

/**
 * Undoes a write of `length` bytes at `position`: overwrites with zeros what it left, which takes no new space on most file systems. Within the
 * turn, so that nothing is written in between. A write that left nothing costs one read.
 *
 * Durability: once it returns, the first `headBytes` bytes at `position` are zeros, or behind the end of the file, and stay so after power loss. What
 * came behind them is zeros too, as far as there was room for that.
 * Requires: the write began with bytes that are not all zeros, and nothing that is needed stands where it was to go.
 *
 * @param headBytes - How much of the write, from its front, makes the rest mean something.
 * @throws FileSystemError when it could not be undone or nobody can say whether it was, KAYA_DISK_FULL among them. Whatever the code, the outcome of
 * the write is unknown from then on, and the caller must take nothing more for that file: poison.
 */
export function undoWrite(handle: FileHandle, position: number, length: number, headBytes: number): void {
  if (isBlank(handle, position, headBytes)) return;
  const noRoom = overwrite(handle, position, length);
  if (noRoom !== undefined && !isBlank(handle, position, headBytes)) throw noRoom;
  handle.syncSync();
}

/** @returns The error of a disk that is too full even for zeros. */
function overwrite(handle: FileHandle, position: number, length: number): unknown {
  try {
    for (let at = 0; at < length; at += ZEROS.length) {
      handle.writeSync(ZEROS.subarray(0, Math.min(ZEROS.length, length - at)), position + at);
    }
    return undefined;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return error;
  }
}

/** Whether zeros, or nothing, stand where the head would be. */
function isBlank(handle: FileHandle, position: number, headBytes: number): boolean {
  const head = new Uint8Array(headBytes);
  return head.subarray(0, handle.readSync(head, position)).every((byte) => byte === 0);
}
