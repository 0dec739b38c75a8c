/**
 * A machine that loses its power after every life: the disk is copied as the file system has written it, the rest, which only memory held, is
 * forgotten, and the copy is mounted, with a replay of the file system's own journal.
 */

import type { Machine } from '../kill/kill-run.ts';
import { type DiskImage, mountDiskImage } from './mounted-disk.ts';

export class PowerlessMachine implements Machine, Disposable {
  #disk: DiskImage;
  /** How often the power went. */
  cuts = 0;

  /** @param mebibytes - Size of the disk. */
  constructor(mebibytes: number) {
    this.#disk = mountDiskImage(mebibytes);
  }

  root(): string {
    return this.#disk.path;
  }

  /** Requires: the process has ended. */
  afterLife(): void {
    const next = this.#disk.copyAsAfterPowerLoss();
    this.#disk[Symbol.dispose]();
    this.#disk = next;
    this.cuts++;
  }

  [Symbol.dispose](): void {
    this.#disk[Symbol.dispose]();
  }
}
