/** The list of acknowledged records that `kayactl import --ack-log` keeps: written by another process than the one killed. */

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, watch } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Keys of all acknowledged records. */
export function readAcknowledged(file: string): ReadonlySet<string> {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
  if (text === '') return new Set();
  return new Set(text.split('\n').map((line) => (JSON.parse(line) as { readonly key: string }).key));
}

/**
 * Calls `reached` once, as soon as `count` lines have been added to the list. Requires: the file exists.
 *
 * @returns A function that stops watching.
 */
export function watchAcknowledged(file: string, count: number, reached: () => void): () => void {
  const handle = openSync(file, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = statSync(file).size;
  let missing = count;
  let isOpen = true;
  const stop = (): void => {
    if (!isOpen) return;
    isOpen = false;
    watcher.close();
    closeSync(handle);
  };
  const watcher = watch(file, () => {
    let bytes = isOpen ? readSync(handle, chunk, 0, CHUNK_BYTES, position) : 0;
    while (bytes > 0) {
      position += bytes;
      for (const byte of chunk.subarray(0, bytes)) if (byte === LINE_FEED) missing--;
      bytes = readSync(handle, chunk, 0, CHUNK_BYTES, position);
    }
    if (!isOpen || missing > 0) return;
    stop();
    reached();
  });
  return stop;
}
